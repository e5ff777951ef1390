"""`harness compare`: whether results differ, also as a guard in continuous integration."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from harness.commands.options import add_format, add_score
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.reporting.comparison import Comparison


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "compare",
        help="say whether results differ",
        description="Compare the results B with A for every variant on each dataset that both have; or, with "
        "--baseline, the variants of A with one of them.",
    )
    parser.add_argument("a", metavar="DIR_A", help="a results directory, or a CSV or parquet file")
    parser.add_argument("b", metavar="DIR_B", nargs="?", help="another one, compared with the first")
    parser.add_argument(
        "--baseline", metavar="NAME", help="compare every other variant of DIR_A with this one of it"
    )
    parser.add_argument(
        "--algorithm", action="append", metavar="NAME", help="compare this one alone (again for more)"
    )
    add_score(parser)
    add_format(parser)
    parser.add_argument(
        "--margin",
        type=float,
        metavar="POINTS",
        help="say `same` where an equivalence test (TOST) shows that the difference is below so many points "
        "of normalized score",
    )
    parser.add_argument(
        "--expect",
        choices=("same", "better"),
        help="exit with status 1 unless B is the same as A on every dataset (identical, or within --margin; "
        "without one, unless no difference is found), or better (over all datasets, and worse on none)",
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

    from harness.reporting.tables import FORMATS as WRITERS
    from harness.reporting.tables import print_table
    from harness.reporting.tables.comparison import comparison_table

    comparison = _comparison(options)
    table = comparison_table(comparison)
    if options.format == "terminal":
        print_table(table)
    else:
        print(WRITERS[options.format](table), end="")
    if not options.expect:
        return 0
    reasons = comparison.fails(options.expect)
    for reason in reasons:
        print(f"expected {options.expect}: {reason}", file=sys.stderr)
    if caveat := comparison.caveat(options.expect):
        print(f"note: {caveat}", file=sys.stderr)
    return 1 if reasons else 0


def _comparison(options: argparse.Namespace) -> Comparison:
    from harness.commands.context import load_results
    from harness.reporting.comparison import compare, compare_with_baseline

    if (options.b is None) == (options.baseline is None):
        raise HarnessError(
            "compare takes two results (compare DIR_A DIR_B), or one and the variant to compare the others "
            "with (compare DIR --baseline NAME)"
        )
    if options.margin is not None and not 0 < options.margin < float("inf"):
        raise HarnessError(f"--margin {options.margin:g}: must be a positive number of points")
    a = load_results(options.a)
    how = (options.score, options.algorithm, options.paired, options.margin)
    if options.baseline is not None:
        return compare_with_baseline(a, options.baseline, *how)
    return compare(a, load_results(options.b), *how)
