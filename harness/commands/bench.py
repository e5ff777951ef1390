"""`harness bench`: gradient steps per second, here and now; and what else can be measured."""

from __future__ import annotations

import argparse
from importlib import import_module
from itertools import chain
from typing import Any

from harness.bench import options as bench_options

MORE = {
    "evaluation": "environment steps per second while a policy is evaluated",
    "data": "reading a dataset, and its memory when trials share it",
}
"""Modules of harness.bench, each with `add_options(parser)` and `run(options)`."""


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "bench",
        help="measure speed on this machine",
        description="Gradient steps per second, in turn with a plain textbook form in PyTorch and with "
        "matrix products of the size that goes fastest. On a CPU one core is used.",
    )
    parser.add_argument("--algorithm", action="append", metavar="NAME", help="may be repeated (default: all)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument(
        "--pack", default="1", metavar="M,...", help="seeds trained at once: 1 or 1,4,16,64 (default: 1)"
    )
    parser.add_argument(
        "--precision",
        action="append",
        choices=("fp32", "tf32", "bf16"),
        help="may be repeated (default: fp32)",
    )
    bench_options.add_options(parser, "line")
    parser.add_argument(
        "--everything", action="store_true", help="fp32 and bf16, and the bench of the evaluation too"
    )
    parser.set_defaults(run=run)

    class What(argparse._SubParsersAction):  # type: ignore[type-arg]
        """Refuses options before it: those that it takes itself would be undone without a word."""

        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
            for each in parser._actions:
                given = getattr(namespace, each.dest, each.default) != each.default
                if given and each.default != argparse.SUPPRESS:
                    parser.error(f"{each.option_strings[0]}: put options for {values[0]} after it")
            super().__call__(parser, namespace, values, option_string)

    class LazyParser(type(parser)):  # type: ignore[misc]
        """Imports its module when it is called, not before: some take long."""

        module = ""

        def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
            module = import_module(f"harness.bench.{self.module}")
            module.add_options(self)
            self.set_defaults(run=module.run)
            return super().parse_known_args(args, namespace)

    more = parser.add_subparsers(metavar="WHAT", action=What, parser_class=LazyParser)
    for name, help_text in MORE.items():
        more.add_parser(name, help=help_text, description=help_text).module = name


def run(options: argparse.Namespace) -> int:
    """
    Raises:
        HarnessError: for an unknown algorithm or device, or a pack that is no list of counts.
    """
    from harness.algorithms.registry import names
    from harness.bench import evaluation, results, steps
    from harness.errors import HarnessError

    try:
        packs = [int(count) for count in options.pack.split(",")]
    except ValueError:
        packs = [0]
    if min(packs) < 1:
        raise HarnessError(
            f"--pack {options.pack}: must be counts of seeds with commas between, as in 1,4,16"
        )
    precisions = options.precision or (["fp32", "bf16"] if options.everything else ["fp32"])
    chosen = steps.cases(options.algorithm or names(), packs, precisions, options.device)
    measurements = steps.measure(chosen, options.seconds)
    if options.everything:
        measurements = chain(measurements, evaluation.measure(evaluation.ENVIRONMENTS, options.seconds))
    return results.show(measurements, options.output)
