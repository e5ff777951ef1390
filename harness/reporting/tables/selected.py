"""The table that `harness select` prints: the samples that a rule ranks first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.catalogue import OFFLINE_RULES
from harness.reporting.results import Results
from harness.reporting.selection.rules import Selected
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.scores import Score

ALL_DATASETS = "All datasets"


def selected_table(results: Results, selected: Sequence[Selected], rule: str, score: Score) -> Table:
    """Return a row for each search and dataset: what was selected, its score, and the best score."""
    offline = "from data alone; over all datasets by the mean of ranks"
    how = offline if rule in OFFLINE_RULES else "which uses the environment"
    return Table(
        name="selected",
        caption=f"Samples selected by {rule}, {how}. {captions.measure(results)}: mean over "
        f"{captions.seeds(results)} of {captions.of_trial(results, score)}.",
        header="Dataset, search",
        columns=(
            Column("selected", "Selected"),
            Column("score", "Score"),
            Column("best", "Best in hindsight"),
            Column("samples", "Samples"),
        ),
        rows=tuple(_row(results, each) for each in selected),
        notes=tuple(captions.notes(results)),
        results=results.name,
        details={"by": rule, "score": score},
    )


def _row(results: Results, each: Selected) -> Row:
    shown = 1 if each.dataset is None else results.decimals(each.dataset, (each.score, each.best))
    where = results.title(each.dataset) if each.dataset else ALL_DATASETS
    return Row(
        f"{where}, {results.title(each.search)}",
        (
            Cell(text=listed((_described(results, each.search, name) for name in each.selected), 10)),
            Cell(each.score, decimals=shown) if math.isfinite(each.score) else Cell(),
            Cell(each.best, decimals=shown) if math.isfinite(each.best) else Cell(),
            Cell(each.samples, decimals=0),
        ),
        key=f"{each.dataset or ALL_DATASETS} {each.search}",
    )


def _described(results: Results, search: str, sample: str) -> str:
    """Return `td3_bc@s07 (alpha=1.73)`, because the name of a drawn sample does not show its values."""
    of = results.searches[search]
    if not of.drawn:
        return sample
    values = (
        f"{path}={value:.3g}" if isinstance(value, float) else f"{path}={value}"
        for path, value in of.samples[sample].items()
    )
    return f"{sample} ({', '.join(values)})"
