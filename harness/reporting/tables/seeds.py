"""The table for an appendix: the score of every trial."""

from __future__ import annotations

import itertools

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
    rows = []
    for dataset, algorithm in itertools.product(results.datasets, results.algorithms):
        if (algorithm, dataset) in scores:
            by_seed = scores[algorithm, dataset].to_dict()
            shown = results.decimals(dataset, by_seed.values())
            cells = tuple(Cell(by_seed.get(seed), decimals=shown) for seed in seeds)
            label = f"{results.dataset_title(dataset)}, {results.title(algorithm)}"
            rows.append(Row(label, cells, key=f"{dataset}, {algorithm}"))
    return Table(
        name="seeds",
        caption=(
            f"{captions.measure(results)} of every seed: {captions.of_trial(results, score)}. "
            f"{captions.protocol(results)} {captions.environments(results)}".strip()
        ),
        header="Dataset, algorithm",
        columns=tuple(Column(f"seed {seed}", f"Seed {seed}") for seed in seeds),
        rows=tuple(rows),
        notes=captions.notes(results),
        details={"score": score},
    )
