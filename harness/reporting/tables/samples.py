"""The samples of searches: values, scores and estimates of each."""

from __future__ import annotations

import numpy as np

from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.catalogue import OFFLINE_RULES, Score
from harness.reporting.names import hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.search.search import Value


def samples_table(results: Results, score: Score = "final") -> Table:
    """Return a row for each sample, the best first: its hyper-parameters, scores and estimates.

    Raises:
        HarnessError: when nothing was searched.
    """
    results = results.ungrouped
    candidates = all_candidates(results, score)
    scores: dict[str, dict[str, float]] = {}
    for each in candidates:
        scores.setdefault(each.dataset, {}).update(zip(each.names, each.means.tolist(), strict=True))
    searches = list(dict.fromkeys(each.search for each in candidates))
    paths = list(dict.fromkeys(path for search in searches for path in results.searches[search].paths))
    estimates = _estimates(results)
    samples = {
        name: values
        for search in searches
        for name, values in results.searches[search].samples.items()
        if any(name in means for means in scores.values())
    }
    shown = {dataset: results.decimals(dataset, means.values()) for dataset, means in scores.items()}
    mean = {name: np.mean([own[name] for own in scores.values() if name in own]) for name in samples}
    return Table(
        name="samples",
        caption=f"Samples of {listed(results.title(search) for search in searches)}, the highest mean "
        f"score first: hyper-parameters, {captions.measure(results).lower()}"
        + (", and the value and TD error that fitted Q evaluation estimates" if estimates else "")
        + f", on each dataset. {captions.of_sample(results, score)}",
        header="Sample",
        columns=(
            *(Column(f"score {dataset}", results.title(dataset), "Score") for dataset in scores),
            *(Column(path, hyperparameter_label(path), "Hyper-parameter") for path in paths),
            *(
                Column(f"{rule} {dataset}", results.title(dataset), OFFLINE_RULES[rule])
                for rule in estimates
                for dataset in scores
            ),
        ),
        rows=tuple(
            Row(
                results.title(name),
                (
                    *(Cell(means.get(name), decimals=shown[dataset]) for dataset, means in scores.items()),
                    *(_value(samples[name].get(path), path in samples[name]) for path in paths),
                    *(
                        Cell(found.get((name, on)), decimals=2 if rule == "td_error" else 1)
                        for rule, found in estimates.items()
                        for on in scores
                    ),
                ),
                key=name,
            )
            for name in sorted(samples, key=lambda name: -mean[name])
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
