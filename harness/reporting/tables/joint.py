"""One table of several results: a row per dataset, and a column per variant of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from harness.reporting import captions
from harness.reporting.catalogue import Score
from harness.reporting.names import in_table_order
from harness.reporting.results import Results
from harness.reporting.tables.model import Cell, Column, Kind, Row, Table
from harness.reporting.tables.scores import own_cells, with_emphasis
from harness.scores import DDOF


def joint_table(sources: Mapping[str, Results], score: Score = "final") -> Table:
    """Return the scores of several results side by side, each by the name of its group of columns."""
    names = in_table_order(dict.fromkeys(name for results in sources.values() for name in results.datasets))
    cells = {
        name: [cell for results in sources.values() for cell in _cells(results, name, score)]
        for name in names
    }
    shared = [name for name in names if all(name in results.normalized for results in sources.values())]
    rows = [Row(_label(sources.values(), name), _with_best(cells[name]), key=name) for name in names]
    if len(shared) > 1:
        means = [_mean(column) for column in zip(*(cells[name] for name in shared), strict=True)]
        rows.append(Row(f"Mean of {len(shared)} shared datasets", _with_best(means), Kind.TOTAL))
    protocols = {captions.protocol(results) for results in sources.values()}
    trials = " / ".join(dict.fromkeys(captions.of_trial(results, score) for results in sources.values()))
    return Table(
        name="side-by-side",
        caption=f"Mean ± standard deviation (ddof={DDOF}) over the seeds of each experiment, of {trials}.",
        header="Dataset",
        columns=tuple(
            Column(f"{group} {variant}", results.title(variant), group)
            for group, results in sources.items()
            for variant in results.algorithms
        ),
        rows=tuple(rows),
        notes=tuple(
            f"{group}: {captions.seeds(results)}, {captions.protocol(results)}"
            for group, results in sources.items()
            if len(protocols) > 1
        ),
        details={"score": score},
    )


def _cells(results: Results, dataset: str, score: Score) -> list[Cell]:
    if dataset not in results.datasets:
        return [Cell()] * len(results.algorithms)
    return own_cells(results, dataset, results.score_arrays(score))


def _with_best(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    return tuple(with_emphasis(cells, [math.nan] * len(cells)))


def _mean(cells: Sequence[Cell]) -> Cell:
    values = [cell.value for cell in cells if cell.value is not None and not cell.mark]
    return Cell(float(np.mean(values))) if len(values) == len(cells) else Cell()


def _label(sources: Iterable[Results], dataset: str) -> str:
    having = [results for results in sources if dataset in results.datasets]
    normalized = [dataset in results.normalized for results in having]
    if all(normalized) or not any(normalized):
        return having[0].dataset_title(dataset)
    return f"{having[0].title(dataset)} (scores and returns)"
