"""The main table, a row per dataset and totals as in the TD3+BC paper; and that of a published source."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.catalogue import Score
from harness.reporting.names import dataset_name, in_table_order
from harness.reporting.published import Published
from harness.reporting.published.shared import published_score, require_shared, shared_datasets
from harness.reporting.results import Results
from harness.reporting.tables.model import DIFFERENCE, OURS, Cell, Column, Emphasis, Kind, Row, Table
from harness.scores import mean_and_deviation, standard_error

WITHIN = "✓"

Values = dict[tuple[str, str], NDArray[np.float64]]
"""(algorithm, dataset) to the scores of its finished seeds."""


def score_table(results: Results, score: Score = "final", published: Sequence[Published] = ()) -> Table:
    """Return the table that papers print; sources of published scores must share one with the results."""
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
    of_seeds = [values.get((algorithm, dataset), np.zeros(0)) for algorithm in results.algorithms]
    shown = results.decimals(dataset, (seeds.mean() for seeds in of_seeds if len(seeds)))
    expected = results.expected_seeds
    marks = [f"{len(seeds)}/{expected} seeds" * (len(seeds) < expected) for seeds in of_seeds]
    cells = [Cell.over_seeds(seeds, mark, shown) for seeds, mark in zip(of_seeds, marks, strict=True)]
    return with_emphasis(cells, list(map(standard_error, of_seeds)))


def with_emphasis(cells: Sequence[Cell], errors: Sequence[float]) -> list[Cell]:
    """Mark the best mean as shown, and those within its standard error; a NaN error marks the best only.

    A score over fewer seeds than the others is not a candidate.
    """
    known = {
        index: cell.value
        for index, cell in enumerate(cells)
        if cell.value is not None and math.isfinite(cell.value) and not cell.mark
    }
    marked = [replace(cell, emphasis=Emphasis.NONE) for cell in cells]
    if len(known) < 2:
        return marked
    winner = max(known, key=lambda index: known[index])
    reach = errors[winner] if math.isfinite(errors[winner]) else 0.0
    for index, value in known.items():
        if round(value, cells[index].decimals) == round(known[winner], cells[index].decimals):
            marked[index] = replace(cells[index], emphasis=Emphasis.BEST)
        elif value >= known[winner] - reach:
            marked[index] = replace(cells[index], emphasis=Emphasis.CLOSE)
    return marked


def _with_totals(results: Results, cells: dict[str, list[Cell]]) -> Iterable[Row]:
    """Return rows by quality, with sub-totals if every quality has several tasks, and then the total.

    Datasets without normalized scores follow below and are not counted.
    """
    ours = len(results.algorithms)
    normalized = results.normalized
    groups: dict[str, list[str]] = {}
    for dataset in normalized:
        groups.setdefault(dataset_name(dataset).quality, []).append(dataset)
    has_subtotals = len(groups) > 1 and all(quality and len(group) > 1 for quality, group in groups.items())
    rows = {name: Row(results.dataset_title(name), tuple(own), key=name) for name, own in cells.items()}
    for quality, group in groups.items():
        yield from (rows[dataset] for dataset in group)
        if has_subtotals:
            yield _sum(f"Sub-total {quality}", [cells[dataset] for dataset in group], ours, Kind.SUBTOTAL)
    if len(normalized) > 1:
        total = f"Total of {len(normalized)} selected datasets" if "dataset" in results.only else "Total"
        yield _sum(total, [cells[dataset] for dataset in normalized], ours, Kind.TOTAL)
    yield from (row for dataset, row in rows.items() if dataset not in normalized)


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
    """Yield each column of a source, with its cells by dataset: its scores and, if comparable, the Δ."""
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


def published_table(source: Published) -> Table:
    """Tabulate the chosen algorithms of a source, by default all."""
    algorithms = source.chosen or tuple(source.scores)
    return Table(
        name=source.name,
        caption=f"{source.title}: {source.source}, {source.url} ({source.protocol.sentence()}).",
        header="Dataset",
        columns=tuple(Column(algorithm, algorithm) for algorithm in algorithms),
        rows=tuple(
            Row(dataset, tuple(Cell(*source.scores[name].get(dataset, ())) for name in algorithms))
            for dataset in in_table_order(source.datasets(algorithms))
        ),
        notes=tuple(source.differences(algorithms)),
    )
