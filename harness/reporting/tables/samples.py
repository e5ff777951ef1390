"""The samples of searches: values, scores and estimates of each."""

from __future__ import annotations

import numpy as np

from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.catalogue import OFFLINE_RULES
from harness.reporting.names import RULE_LABELS, hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.reporting.tables.selection import scored
from harness.scores import Score
from harness.search.search import Value


def samples_table(results: Results, score: Score = "final") -> Table:
    """Return a row for each sample, the best first: its hyper-parameters, scores and estimates.

    Raises:
        HarnessError: when nothing was searched.
    """
    results = results.ungrouped
    candidates = all_candidates(results, score)
    scores = {
        (name, each.dataset): float(mean)
        for each in candidates
        for name, mean in zip(each.names, each.means, strict=True)
    }
    datasets = list(dict.fromkeys(each.dataset for each in candidates))
    searches = list(dict.fromkeys(each.search for each in candidates))
    paths = list(dict.fromkeys(path for search in searches for path in results.searches[search].paths))
    estimates = _estimates(results)
    samples = {
        name: values
        for search in searches
        for name, values in results.searches[search].samples.items()
        if any((name, dataset) in scores for dataset in datasets)
    }
    shown = {
        dataset: results.decimals(dataset, [value for (_, on), value in scores.items() if on == dataset])
        for dataset in datasets
    }
    order = sorted(samples, key=lambda name: -np.nanmean([scores.get((name, on), np.nan) for on in datasets]))
    return Table(
        name="samples",
        caption=f"Samples of {listed(results.title(search) for search in searches)}, the highest mean "
        f"score first: hyper-parameters, {captions.measure(results).lower()}"
        + (", and the value and TD error that fitted Q evaluation estimates" if estimates else "")
        + f", on each dataset. {scored(results, score)}",
        header="Sample",
        columns=(
            *(Column(f"score {dataset}", results.title(dataset), "Score") for dataset in datasets),
            *(Column(path, hyperparameter_label(path), "Hyper-parameter") for path in paths),
            *(
                Column(f"{rule} {dataset}", results.title(dataset), RULE_LABELS[rule])
                for rule in estimates
                for dataset in datasets
            ),
        ),
        rows=tuple(
            Row(
                results.title(name),
                (
                    *(Cell(scores.get((name, on)), decimals=shown[on]) for on in datasets),
                    *(_value(samples[name].get(path), path in samples[name]) for path in paths),
                    *(
                        Cell(found.get((name, on)), decimals=2 if rule == "td_error" else 1)
                        for rule, found in estimates.items()
                        for on in datasets
                    ),
                ),
                key=name,
            )
            for name in order
        ),
        notes=captions.notes(results),
        details={"score": score},
    )


def _estimates(results: Results) -> dict[str, dict[tuple[str, str], float]]:
    """Return means over seeds by rule, sample and dataset, where every seed has an estimate."""
    frame = results.estimates
    if frame.empty:
        return {}
    cells = frame.groupby(["algorithm", "dataset"])
    whole = frame[cells["seed"].transform("size") == results.expected_seeds]
    return {
        rule: {
            (str(name), str(dataset)): float(values.mean(skipna=False))
            for (name, dataset), values in whole.groupby(["algorithm", "dataset"])[rule]
        }
        for rule in OFFLINE_RULES
    }


def _value(value: Value, has_value: bool) -> Cell:
    """Return a hyper-parameter's value; an empty cell if the sample's algorithm has none of that name."""
    if not has_value:
        return Cell()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(text=str(value))
    return Cell(float(value), text=f"{value:.4g}")
