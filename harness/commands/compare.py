"""`harness compare`: whether two sets of results differ, also as a guard in continuous integration."""

from __future__ import annotations

import argparse
from typing import Any

from harness.commands.options import add_format, add_score


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "compare",
        help="say whether two sets of results differ",
        description="Compare the results B with A on every algorithm and dataset that both have.",
    )
    parser.add_argument("a", metavar="DIR_A", help="a results directory, or a CSV or parquet file")
    parser.add_argument("b", metavar="DIR_B", help="another one, compared with the first")
    parser.add_argument(
        "--algorithm", action="append", metavar="NAME", help="compare this one alone (again for more)"
    )
    add_score(parser)
    add_format(parser)
    parser.add_argument(
        "--expect",
        choices=("same", "better"),
        help="exit with status 1 unless B is the same as A (no difference is found anywhere), or better "
        "than A (over all datasets, and worse on none)",
    )
    parser.add_argument(
        "--paired",
        action=argparse.BooleanOptionalAction,
        help="pair the trials by seed, or do not (default: where both are runs with the same seeds and "
        "starts of episodes)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import sys

    from harness.commands.context import load_results
    from harness.reporting.comparison import compare
    from harness.reporting.tables import FORMATS as WRITERS
    from harness.reporting.tables import print_table
    from harness.reporting.tables.comparison import comparison_table

    a, b = load_results(options.a), load_results(options.b)
    comparison = compare(a, b, options.score, options.algorithm, options.paired)
    table = comparison_table(comparison)
    if options.format == "terminal":
        print_table(table)
    else:
        print(WRITERS[options.format](table), end="")
    reasons = comparison.fails(options.expect) if options.expect else []
    for reason in reasons:
        print(f"expected {options.expect}: {reason}", file=sys.stderr)
    return 1 if reasons else 0
