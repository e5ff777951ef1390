"""Two sets of results beside each other, and whether they differ."""

from __future__ import annotations

import math
from dataclasses import replace

from harness.reporting import captions
from harness.reporting.comparison import Comparison, Difference
from harness.reporting.measures import dataset_label
from harness.reporting.names import algorithm_label
from harness.reporting.results import Results
from harness.reporting.significance import LEVEL, RESAMPLES
from harness.reporting.tables.model import Cell, Column, Kind, Row, Table


def comparison_table(comparison: Comparison) -> Table:
    a, b = comparison.a, comparison.b
    return Table(
        name="comparison",
        caption=(
            f"B ({b.source}) against A ({a.source}): {captions.measure(a).lower()}, "
            f"{captions.of_trial(b, comparison.score)}; A: {captions.seeds(a)}, B: {captions.seeds(b)}. In "
            f"brackets the 95 % bootstrap interval of the difference ({RESAMPLES:,} resamples of the seeds). "
            f"p: of {_t_test(comparison)} and of the bootstrap, corrected by Holm for their number; better "
            f"or worse: both below {LEVEL:.2g}, and the difference not 0 as it is rounded here; same: else, "
            "be it that there is no difference or that the seeds are too few to show it."
        ),
        header="Algorithm, dataset",
        columns=(
            Column("a", "A"),
            Column("b", "B"),
            Column("difference", "B - A"),
            Column("p_t_test", "p t-test"),
            Column("p_bootstrap", "p bootstrap"),
            Column("verdict", "B is"),
        ),
        rows=tuple(_row(a, one) for one in comparison.differences),
        notes=comparison.notes,
        results=f"{a.name} {b.name}",
        details={"score": comparison.score, "paired": comparison.paired},
    )


def _t_test(comparison: Comparison) -> str:
    if comparison.paired:
        return "the t-test of pairs (a seed has the same start states, batches and first weights in both)"
    return "Welch's t-test"


def _row(results: Results, one: Difference) -> Row:
    interval = one.interval if math.isfinite(one.interval[0]) else None
    dataset = dataset_label(results, one.dataset) if one.dataset else "all datasets"
    cells = (
        _mean(one.mean_a, one),
        _mean(one.mean_b, one),
        replace(_mean(one.difference, one), interval=interval, signed=True),
        _p_value(one.t_test),
        _p_value(one.bootstrap),
        Cell(text=one.verdict, mark=one.reason),
    )
    return Row(
        f"{algorithm_label(one.algorithm)}, {dataset}", cells, Kind.DATA if one.dataset else Kind.TOTAL
    )


def _mean(value: float, one: Difference) -> Cell:
    """NaN is shown for scores that are NaN, not where there are no scores."""
    if math.isnan(value) and one.verdict == "unknown" and "NaN" not in one.reason:
        return Cell()
    return Cell(value, decimals=one.decimals)


def _p_value(p: float) -> Cell:
    if math.isnan(p):
        return Cell()
    return Cell(p, decimals=4) if p >= 1e-4 else Cell(p, text="<0.0001")
