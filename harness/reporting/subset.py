"""The trials of results that `--only` selects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from harness import trial_selection
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.reporting.results import Results
from harness.scores import TRIAL


def narrowed(results: Results, only: Sequence[str]) -> Results:
    """Return the results of the trials that all conditions admit, as if the run had no others.

    Raises:
        HarnessError: for a condition that no trial meets, and when the selected trials have no results.
    """
    if not only:
        return results
    recorded = results.frame[TRIAL].drop_duplicates().astype({"algorithm": str, "dataset": str})
    requested = {(each.algorithm, each.dataset.name, each.seed): each for each in results.requested}
    trials = dict.fromkeys([*requested, *recorded.itertuples(index=False, name=None)])
    try:
        wanted = trial_selection.conditions(trials, only)
    except HarnessError as error:
        raise HarnessError(f"{results.source}: {error}") from None
    kept = [trial for trial in trials if trial_selection.admits(wanted, trial)]
    admitted = {key: {trial[place] for trial in kept} for place, key in enumerate(TRIAL)}
    frame = _rows(results.frame, admitted)
    if frame.empty:
        raise HarnessError(f"{results.source}: no results yet of --only {' --only '.join(only)}")
    for key in ("algorithm", "dataset"):
        order = [name for name in frame[key].cat.categories if name in admitted[key]]
        frame[key] = frame[key].cat.set_categories(order)
    return replace(
        results,
        frame=frame,
        final_steps={name: results.final_steps[name] for name in frame["dataset"].cat.categories},
        experiment=results.experiment and _narrowed_experiment(results.experiment, admitted),
        requested=[requested[trial] for trial in kept if trial in requested],
        estimates=_rows(results.estimates, admitted) if len(results.estimates) else results.estimates,
        only=wanted,
    )


def _rows(frame: pd.DataFrame, admitted: Mapping[str, Collection[object]]) -> pd.DataFrame:
    is_kept = frame[list(admitted)].isin({key: list(names) for key, names in admitted.items()}).all(axis=1)
    return frame[is_kept].reset_index(drop=True)


def _narrowed_experiment(experiment: Experiment, admitted: Mapping[str, Collection[object]]) -> Experiment:
    """Return the experiment with only the selected datasets and seeds; variants are those of the frame."""
    datasets = tuple(each for each in experiment.datasets if each.name in admitted["dataset"])
    names = {None, *(each.name for each in datasets)}
    seeds = tuple(seed for seed in experiment.seeds if seed in admitted["seed"])
    overrides = tuple(each for each in experiment.overrides if each.dataset in names)
    return experiment.model_copy(update={"datasets": datasets, "seeds": seeds, "overrides": overrides})
