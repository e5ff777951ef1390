"""Statistics over all datasets: aggregates, and the probability of improvement between algorithms."""

from __future__ import annotations

import itertools

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.catalogue import Score
from harness.reporting.results import Results
from harness.reporting.statistics import (
    AGGREGATES,
    OPTIMAL,
    REPETITIONS,
    Matrices,
    aggregate_estimates,
    improvement_estimate,
    score_matrices,
)
from harness.reporting.tables.model import Cell, Column, Row, Table


def statistics_table(results: Results, score: Score = "final") -> Table:
    """Return IQM, median, mean and optimality gap of every algorithm.

    Raises:
        HarnessError: where no algorithm has every seed on every dataset, or no score is normalized.
    """
    matrices = score_matrices(results, score)
    estimates = aggregate_estimates(results, score)
    return Table(
        name="statistics",
        caption=f"{_over(results, matrices, score)} The median is over datasets, of means over seeds; the "
        f"optimality gap is how far the scores fall short of {OPTIMAL:.0f} (less is better).",
        header="Algorithm",
        columns=tuple(Column(name.lower().replace(" ", "_"), name) for name in AGGREGATES),
        rows=tuple(
            Row(results.title(name), tuple(Cell(one.value, interval=one.interval) for one in row), key=name)
            for name, row in estimates.items()
        ),
        notes=(*captions.notes(results), *matrices.left_out),
        details={"score": score},
    )


def improvement_table(results: Results, score: Score = "final") -> Table:
    """Return P(row beats column) in percent."""
    matrices = score_matrices(results, score)
    names = list(matrices.scores)
    if len(names) < 2:
        raise HarnessError(f"{results.source}: a probability of improvement needs two algorithms")
    cells: dict[tuple[str, str], Cell] = {}
    for better, than in itertools.combinations(names, 2):
        value, interval = improvement_estimate(matrices.scores[better], matrices.scores[than])
        cells[better, than] = _percent(value, interval)
        cells[than, better] = _percent(1 - value, interval and (1 - interval[1], 1 - interval[0]))
    rows = tuple(
        Row(results.title(better), tuple(cells.get((better, than), Cell()) for than in names), key=better)
        for better in names
    )
    return Table(
        name="improvement",
        caption="Probability in percent that a seed of the algorithm on the left scores above one of the "
        f"algorithm on top, mean over datasets, ties counted half. {_over(results, matrices, score)}",
        header="P(left > top)",
        columns=tuple(Column(name, results.title(name)) for name in names),
        rows=rows,
        notes=(*captions.notes(results), *matrices.left_out),
        details={"score": score},
    )


def _percent(share: float, interval: tuple[float, float] | None) -> Cell:
    return Cell(100 * share, interval=interval and (100 * interval[0], 100 * interval[1]))


def _over(results: Results, matrices: Matrices, score: Score) -> str:
    seeds = captions.seeds_of([len(values) for values in matrices.scores.values()])
    count = len(matrices.datasets)
    intervals = f"; in brackets 95 % stratified bootstrap intervals ({REPETITIONS:,} resamples)"
    return (
        f"Normalized scores, {captions.of_trial(results, score)}, {seeds} on each of {count} "
        f"dataset{'s' * (count > 1)}{intervals * (results.expected_seeds > 1)}."
    )
