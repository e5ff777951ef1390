"""`harness compare`: tests whether results differ, also as a check in continuous integration."""

from __future__ import annotations

import math
import sys
from typing import get_args

import click

from harness.commands import completers
from harness.commands.options import PATH, only_option, score_option
from harness.commands.output import TableOutput, takes_table_output
from harness.commands.results import load_results
from harness.reporting.catalogue import Expectation, Score


@click.command()
@click.argument("a", metavar="DIR_A", type=PATH)
@click.argument("b", metavar="[DIR_B]", type=PATH, required=False)
@click.option(
    "--baseline",
    metavar="NAME",
    shell_complete=completers.variants,
    help="Compare every other variant of DIR_A with this one.",
)
@only_option
@score_option
@takes_table_output
@click.option(
    "--margin",
    type=click.FloatRange(0, math.inf, min_open=True, max_open=True),
    metavar="POINTS",
    help="Report `same` if an equivalence test (TOST) shows that the difference is smaller than this, in "
    "points of normalized score.",
)
@click.option(
    "--expect",
    type=click.Choice(get_args(Expectation)),
    help="Exit with status 1 unless B is the same as A on every dataset (identical, or within --margin; "
    "without one, unless no difference is found), or better (over all datasets, and worse on none).",
)
@click.option(
    "--paired/--no-paired",
    default=None,
    help="Whether to pair the trials by seed.",
    show_default="paired if both are runs with the same seeds and start states",
)
def compare(
    a: str,
    b: str | None,
    baseline: str | None,
    only: tuple[str, ...],
    score: Score,
    output: TableOutput,
    margin: float | None,
    expect: Expectation | None,
    paired: bool | None,
) -> int:
    """Test whether results differ.

    Compares the results B with A for every variant on each dataset that both have; or, with --baseline, the
    variants of A with one of them. Each is a results directory, or a CSV or parquet file.
    """
    from harness.reporting import comparison
    from harness.reporting.tables.comparison import comparison_table

    if (b is None) == (baseline is None):
        raise click.UsageError(
            "compare takes two results (compare DIR_A DIR_B), or one and its variant to compare the others "
            "with (compare DIR --baseline NAME)"
        )
    variants = [each for each in only if each.startswith("algorithm=")]
    if b is None:  # --only does not remove the baseline
        results = load_results(a, [*only, f"algorithm={baseline}"] if variants else only)
        compared = comparison.compare_with_baseline(results, str(baseline), score, paired, margin)
    else:  # B may name the variants of A differently
        others = [each for each in only if each not in variants]
        compared = comparison.compare(load_results(a, only), load_results(b, others), score, paired, margin)
    output.show(comparison_table(compared))
    if not expect:
        return 0
    reasons = compared.fails(expect)
    for reason in reasons:
        print(f"expected {expect}: {reason}", file=sys.stderr)
    if caveat := compared.caveat(expect):
        print(f"note: {caveat}", file=sys.stderr)
    return 1 if reasons else 0
