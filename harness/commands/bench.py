"""`harness bench`: gradient steps per second on this machine, and other speeds."""

from __future__ import annotations

import math
from itertools import chain
from pathlib import Path

import click
from click.core import ParameterSource

from harness.commands import completers
from harness.commands.options import comma_list

seconds_option = click.option(
    "--seconds",
    type=click.FloatRange(0, math.inf, min_open=True, max_open=True),
    default=10.0,
    metavar="S",
    help="Duration of each measurement.",
)
output_option = click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write bench.json and a plot of it into this directory.",
)


@click.group(invoke_without_command=True)
@click.option(
    "--algorithm",
    "algorithms",
    metavar="NAME",
    multiple=True,
    shell_complete=completers.algorithms,
    help="Algorithm to measure. May be repeated.",
    show_default="all",
)
@click.option("--device", default="cpu", metavar="DEVICE", help="cpu or cuda.")
@click.option(
    "--pack",
    "packs",
    callback=comma_list(click.IntRange(1)),
    default="1",
    metavar="M,...",
    help="Seeds trained at once: 1, or 1,4,16,64.",
)
@click.option(
    "--precision",
    "precisions",
    type=click.Choice(("fp32", "tf32", "bf16")),
    multiple=True,
    help="Number format. May be repeated.",
    show_default="fp32",
)
@seconds_option
@output_option
@click.option("--everything", is_flag=True, help="Measure fp32, bf16 and evaluation.")
@click.pass_context
def bench(
    context: click.Context,
    algorithms: tuple[str, ...],
    device: str,
    packs: tuple[int, ...],
    precisions: tuple[str, ...],
    seconds: float,
    output: Path | None,
    everything: bool,
) -> int:
    """Measure speed on this machine.

    Without a command, measures gradient steps per second, alternating with a textbook implementation in plain
    PyTorch and with matrix products of the size that runs fastest. A CPU is measured on one core.
    """
    what = context.invoked_subcommand
    if what is not None:
        for name in context.params:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"put the options of {what} after its name")
        return 0
    from harness.algorithms.registry import usable
    from harness.bench import evaluation, results, steps

    chosen = precisions or (("fp32", "bf16") if everything else ("fp32",))
    measurements = steps.measure(steps.cases(algorithms or usable(), packs, chosen, device), seconds)
    if everything:
        measurements = chain(measurements, evaluation.measure(evaluation.ENVIRONMENTS, seconds))
    return results.show(measurements, output)


@bench.command("evaluation")
@click.option(
    "--environment",
    "environments",
    metavar="ID",
    multiple=True,
    default=("Pendulum-v1", "Hopper-v4"),
    help="A gymnasium id. May be repeated.",
)
@seconds_option
@output_option
def measure_evaluation(environments: tuple[str, ...], seconds: float, output: Path | None) -> int:
    """Measure environment steps per second during evaluation."""
    from harness.bench import evaluation, results

    return results.show(evaluation.measure(environments, seconds), output)
