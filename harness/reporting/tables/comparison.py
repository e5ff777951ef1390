"""The table of differences between two sets of results, or between variants and their baseline."""

from __future__ import annotations

import math
from dataclasses import replace

from harness.reporting.comparison import Comparison, Difference
from harness.reporting.comparison.model import points
from harness.reporting.significance import LEVEL, RESAMPLES
from harness.reporting.tables.model import Cell, Column, Kind, Row, Table


def comparison_table(comparison: Comparison) -> Table:
    """Return a row for each difference, those over all datasets as totals."""
    a, b = comparison.sides
    has_margin = comparison.margin is not None
    return Table(
        name="comparison",
        caption=_caption(comparison),
        header="Variant, dataset",
        columns=(
            Column("a", a),
            Column("b", b),
            Column("difference", f"{b} - {a}"),
            Column("verdict", f"{b} is"),
            Column("p_t_test", "p t-test"),
            Column("p_bootstrap", "p bootstrap"),
            *([Column("p_equivalence", "p TOST")] if has_margin else []),
        ),
        rows=tuple(_row(one, has_margin) for one in comparison.differences),
        notes=comparison.notes,
        details={"score": comparison.score, "paired": comparison.paired, "margin": comparison.margin},
    )


def _caption(comparison: Comparison) -> str:
    verdicts = {one.verdict for one in comparison.differences}
    sentences = [comparison.about]
    t_test = "Welch's t-test"
    if comparison.paired:
        t_test = "the paired t-test (a seed has the same start states, batches and first weights in both)"
    if any(math.isfinite(one.t_test) for one in comparison.differences):
        sentences.append(
            f"In brackets the 95 % t interval of the difference. p: of {t_test} and of the "
            f"bootstrap ({RESAMPLES:,} resamples of the seeds), corrected by Holm for their number; better "
            f"or worse: both below {LEVEL:.2g}."
        )
    if comparison.margin is not None and any(
        math.isfinite(one.equivalence) for one in comparison.differences
    ):
        sentences.append(
            f"TOST: two one-sided t-tests of a difference of at least {points(comparison.margin)}; same: its "
            f"p is below {LEVEL:.2g}."
        )
    if "no difference found" in verdicts:
        sentences.append("No difference found is not evidence that there is none: see the interval.")
    if "identical" in verdicts:
        sentences.append("Identical: every seed has the very same score.")
    return " ".join(sentences)


def _row(one: Difference, has_margin: bool) -> Row:
    interval = one.interval if math.isfinite(one.interval[0]) else None
    cells = (
        _mean(one.mean_a, one),
        _mean(one.mean_b, one),
        replace(_mean(one.difference, one), interval=interval, signed=True),
        Cell(text=one.verdict, mark=one.reason if one.verdict == "unknown" else ""),
        _p_value(one.t_test),
        _p_value(one.bootstrap),
        *([_p_value(one.equivalence)] if has_margin else []),
    )
    kind = Kind.DATA if one.dataset else Kind.TOTAL
    return Row(one.title, cells, kind, key=f"{one.variant}, {one.dataset or 'all datasets'}")


def _mean(value: float, one: Difference) -> Cell:
    """Return the cell of a mean: NaN for scores that are NaN, nothing without scores."""
    if math.isnan(value) and "NaN" not in one.reason:
        return Cell()
    return Cell(value, decimals=one.decimals)


def _p_value(p: float) -> Cell:
    if math.isnan(p):
        return Cell()
    return Cell(p, decimals=4) if p >= 1e-4 else Cell(p, text="<0.0001")
