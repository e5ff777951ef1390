"""The table for an appendix: the score of every trial."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting import captions
from harness.reporting.catalogue import Score
from harness.reporting.results import Results
from harness.reporting.tables.model import Cell, Column, Row, Table


def seeds_table(results: Results, score: Score = "final") -> Table:
    """Return a row per dataset and algorithm and a column per seed; unfinished trials have no score."""
    seeds = sorted(
        {*results.finished["seed"].tolist(), *(results.experiment.seeds if results.experiment else ())}
    )
    scores = results.seed_scores(score)
    rows = tuple(
        _row(
            results, dataset, algorithm, [float(by_seed[seed]) if seed in by_seed else None for seed in seeds]
        )
        for dataset in results.datasets
        for algorithm in results.algorithms
        if (by_seed := scores.get((algorithm, dataset))) is not None
    )
    return Table(
        name="seeds",
        caption=(
            f"{captions.measure(results)} of every seed: {captions.of_trial(results, score)}. "
            f"{captions.protocol(results)} {captions.environments(results)}".strip()
        ),
        header="Dataset, algorithm",
        columns=tuple(Column(f"seed {seed}", f"Seed {seed}") for seed in seeds),
        rows=rows,
        notes=captions.notes(results),
        details={"score": score},
    )


def _row(results: Results, dataset: str, algorithm: str, scores: Sequence[float | None]) -> Row:
    shown = results.decimals(dataset, scores)
    cells = tuple(Cell(score, decimals=shown) for score in scores)
    label = f"{results.dataset_title(dataset)}, {results.title(algorithm)}"
    return Row(label, cells, key=f"{dataset}, {algorithm}")
