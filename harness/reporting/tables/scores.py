"""The main table: a row per dataset, a column per algorithm, and totals as in the TD3+BC paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.catalogue import Score
from harness.reporting.names import dataset_name
from harness.reporting.published import Published
from harness.reporting.published.shared import published_score, require_shared, shared_datasets
from harness.reporting.results import Results
from harness.reporting.tables.model import DIFFERENCE, OURS, Cell, Column, Emphasis, Kind, Row, Table
from harness.scores import mean_and_deviation, standard_error

WITHIN = "✓"

Values = dict[tuple[str, str], NDArray[np.float64]]
"""(algorithm, dataset) to the scores of its finished seeds."""


def score_table(results: Results, score: Score = "final", published: Sequence[Published] = ()) -> Table:
    """Return the table that papers print.

    Raises:
        HarnessError: for published scores that have no dataset or no algorithm in common with the results.
    """
    values = results.score_arrays(score)
    cells = {dataset: own_cells(results, dataset, values) for dataset in results.datasets}
    columns = [Column(name, results.title(name), OURS if published else "") for name in results.algorithms]
    for source in published:
        for column, more in _published_columns(results, source):
            columns.append(column)
            for dataset, cell in more.items():
                cells[dataset].append(cell)
    return Table(
        name="scores",
        caption=captions.scores(results, score),
        header="Dataset",
        columns=tuple(columns),
        rows=tuple(_with_totals(results, cells)),
        notes=(*captions.published(published, results), *_notes(results, values, published)),
        details={"score": score, "published": [source.name for source in published]},
    )


def own_cells(results: Results, dataset: str, values: Values) -> list[Cell]:
    """Return a cell for each algorithm on a dataset, the best marked."""
    of_seeds = [values.get((algorithm, dataset)) for algorithm in results.algorithms]
    cells = [_cell(seeds, results.expected_seeds) for seeds in of_seeds]
    shown = results.decimals(dataset, (cell.value for cell in cells))
    cells = [replace(cell, decimals=shown) for cell in cells]
    return with_emphasis(cells, [math.nan if seeds is None else standard_error(seeds) for seeds in of_seeds])


def _cell(seeds: NDArray[np.float64] | None, expected: int) -> Cell:
    if seeds is None:
        return Cell(mark=f"0/{expected} seeds")
    return Cell.over_seeds(seeds, mark=f"{len(seeds)}/{expected} seeds" if len(seeds) < expected else "")


def with_emphasis(cells: Sequence[Cell], errors: Sequence[float]) -> list[Cell]:
    """Mark the best mean as shown, and those within its standard error; a NaN error marks the best only.

    A score over fewer seeds than the others is not a candidate.
    """
    known = [
        index
        for index, cell in enumerate(cells)
        if cell.value is not None and math.isfinite(cell.value) and not cell.mark
    ]
    if len(known) < 2:
        return list(cells)
    winner = max(known, key=lambda index: cells[index].value or 0.0)
    best = cells[winner].value or 0.0
    reach = errors[winner] if math.isfinite(errors[winner]) else 0.0
    return [
        replace(cell, emphasis=_emphasis(cell, best, reach)) if index in known else cell
        for index, cell in enumerate(cells)
    ]


def _emphasis(cell: Cell, best: float, reach: float) -> Emphasis:
    assert cell.value is not None
    if round(cell.value, cell.decimals) == round(best, cell.decimals):
        return Emphasis.BEST
    return Emphasis.CLOSE if cell.value >= best - reach else Emphasis.NONE


def _with_totals(results: Results, cells: dict[str, list[Cell]]) -> Iterable[Row]:
    """Return rows by quality, with sub-totals if every quality has several tasks, and then the total.

    Datasets without normalized scores follow below and are not counted.
    """
    own = len(results.algorithms)
    normalized = results.normalized
    groups: dict[str, list[str]] = {}
    for dataset in normalized:
        groups.setdefault(dataset_name(dataset).quality, []).append(dataset)
    has_subtotals = len(groups) > 1 and all(quality and len(group) > 1 for quality, group in groups.items())
    for quality, group in groups.items():
        yield from (_row(results, dataset, cells[dataset]) for dataset in group)
        if has_subtotals:
            yield _sum(f"Sub-total {quality}", [cells[dataset] for dataset in group], own, Kind.SUBTOTAL)
    if len(normalized) > 1:
        total = f"Total of {len(normalized)} selected datasets" if "dataset" in results.only else "Total"
        yield _sum(total, [cells[dataset] for dataset in normalized], own, Kind.TOTAL)
    for dataset in cells:
        if dataset not in normalized:
            yield _row(results, dataset, cells[dataset])


def _row(results: Results, dataset: str, cells: Sequence[Cell]) -> Row:
    return Row(results.dataset_title(dataset), tuple(cells), key=dataset)


def _sum(label: str, rows: Sequence[Sequence[Cell]], own: int, kind: Kind) -> Row:
    """Return the sum of the means ± the sum of the deviations, as in the paper's table."""
    cells = [_summed(column) for column in zip(*rows, strict=True)]
    return Row(label, (*with_emphasis(cells[:own], [math.nan] * own), *cells[own:]), kind)


def _summed(cells: Sequence[Cell]) -> Cell:
    """Return an empty cell if a summand is missing, and a marked one if a summand has fewer seeds."""
    values = [cell.value for cell in cells if cell.value is not None]
    spreads = [cell.spread for cell in cells if cell.spread is not None]
    if len(values) < len(cells):
        return Cell()
    return Cell(
        sum(values),
        sum(spreads) if len(spreads) == len(cells) else None,
        signed=cells[0].signed,
        mark="incomplete" if any("/" in cell.mark for cell in cells) else "",
    )


def _published_columns(results: Results, source: Published) -> Iterator[tuple[Column, dict[str, Cell]]]:
    """Yield each column of a source, with its cells by dataset: the published scores, and ours minus theirs.

    There is a difference only if one of our scores counts the same evaluations as the source's.
    """
    require_shared([results], [source])
    score = source.protocol.score
    values = results.score_arrays(score) if score else {}
    for theirs, ours in source.shown(results.algorithms).items():
        scores = {name: published_score(results, source, theirs, name) for name in results.datasets}
        cells = {name: Cell(*found) if found else Cell() for name, found in scores.items()}
        yield Column(f"{ours or theirs} {source.name}", theirs, source.name), cells
        if ours is not None and score is not None:
            cells = {name: _difference(values.get((ours, name)), found) for name, found in scores.items()}
            yield Column(f"{ours} minus {source.name}", f"{DIFFERENCE} {theirs}", source.name), cells


def _difference(seeds: NDArray[np.float64] | None, theirs: tuple[float, float | None] | None) -> Cell:
    """Return ours minus theirs, with a tick if it is within the larger standard deviation over seeds."""
    if seeds is None or theirs is None:
        return Cell()
    mean, deviation = mean_and_deviation(seeds)
    difference = mean - theirs[0]
    spreads = [spread for spread in (deviation, theirs[1]) if spread is not None and math.isfinite(spread)]
    within = bool(spreads) and abs(difference) <= max(spreads)
    return Cell(difference, signed=True, mark=WITHIN if within else "")


def _notes(results: Results, values: Values, published: Sequence[Published]) -> Iterable[str]:
    yield from captions.notes(results)
    if any(np.isnan(seeds).any() for seeds in values.values()):
        yield "NaN: an evaluation of a trial in this cell is blank or not a finite number."
    for source in published:
        yield from _published_notes(results, source)


def _published_notes(results: Results, source: Published) -> Iterable[str]:
    """State which scores a source lacks, and where it trained longer or shorter than ours."""
    shown = source.shown(results.algorithms)
    absent = [name for name in results.algorithms if name not in shown.values()]
    if absent and source.chosen is None:
        yield f"{source.name} has no scores of {', '.join(absent)}."
    shared = shared_datasets(results, source, shown)
    without = [name for name in results.datasets if name not in shared]
    if without:
        yield f"{source.name} has no scores on {listed(without)}."
    by_steps: dict[int, list[str]] = {}
    for theirs in shown:
        by_steps.setdefault(source.protocol_of(theirs).gradient_steps or 0, []).append(theirs)
    for steps, algorithms in by_steps.items():
        if steps and set(results.final_steps.values()) != {steps}:
            which = f" {', '.join(algorithms)}" if len(by_steps) > 1 else ""
            length = captions.length(results)
            yield f"{source.name} trained{which} for {steps:,} gradient steps, ours for {length}."
