"""`harness plot`: results as figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.commands.options import add_published, add_score
from harness.errors import HarnessError
from harness.reporting.catalogue import FIGURE_FORMATS, FIGURES, METRIC_FIGURE


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "plot",
        help="draw results as figures",
        description="Draw the figures that these results allow, each with its caption in captions.txt.",
    )
    parser.add_argument("results", metavar="DIR", help="a results directory, or a CSV or parquet file")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help=f"draw this figure alone (again for more): {', '.join(FIGURES)}, or {METRIC_FIGURE}METRIC for "
        "any metric of the learners, such as metric-critic_loss",
    )
    parser.add_argument(
        "--format",
        default="png,pdf",
        metavar="F[,F]",
        help=f"of {', '.join(FIGURE_FORMATS)} (default: png,pdf)",
    )
    add_score(parser)
    add_published(parser, "draw published scores as dashed levels")
    parser.add_argument(
        "--reference",
        metavar="ALGORITHM",
        help="what percent differences are taken to (default: TD3+BC at the paper's hyper-parameters)",
    )
    parser.add_argument(
        "--output", metavar="DIR", help="(default: DIR/figures, or figures/ beside a file's tables)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from harness.commands.context import behaviour_returns, load_results
    from harness.reporting import figures, published
    from harness.reporting.published.shared import require_shared
    from harness.validation import nearest

    formats = list(dict.fromkeys(name.strip() for name in options.format.split(",") if name.strip()))
    for name in formats or [""]:
        if name not in FIGURE_FORMATS:
            raise HarnessError(f"--format {name}: no such format{nearest(name, FIGURE_FORMATS)}")
    sources = published.load_all(options.published)
    results = load_results(options.results)
    require_shared([results], sources)
    if options.reference is not None and options.reference not in results.algorithms:
        raise HarnessError(
            f"--reference {options.reference}: no such algorithm"
            + nearest(options.reference, results.algorithms)
        )
    known = figures.figure_names(results)
    unknown = next((name for name in options.only or () if name not in known), None)
    if unknown is not None:
        raise HarnessError(f"--only {unknown}: no such figure{nearest(unknown, known)}")
    names = list(dict.fromkeys(options.only or known))
    behaviour = behaviour_returns(results) if "returns" in names else {}
    material = figures.Material(results, options.score, sources, options.reference, behaviour)
    folder = _folder(options.output, options.results)
    written, left_out = figures.write(folder, material, names, formats)
    for path in written:
        print(path)
    for name, reason in left_out.items():
        if options.only:
            raise HarnessError(f"{options.results}: figure {name} cannot be drawn: {reason}")
        print(f"not drawn: {name} ({reason})")
    return 0


def _folder(output: str | None, results: str) -> str:
    from harness.writing import inside

    if output is not None:
        return output
    if "://" in results:
        raise HarnessError("--output DIR is needed to draw results that are not on this machine")
    path = Path(results)
    return str(inside(path if path.is_dir() else path.parent, "figures/x").parent)
