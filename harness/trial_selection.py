"""The conditions of `--only`, which select trials by algorithm, dataset and seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.errors import HarnessError
from harness.trial import Trial
from harness.validation import nearest

TrialName = tuple[str, str, int]
"""The variant, dataset and seed of a trial."""


def select(trials: Sequence[Trial], only: Sequence[str]) -> list[Trial]:
    """Return the trials that every `--only algorithm=...`, `dataset=...` or `seed=...` admits.

    Several values of a key, separated by commas or given by repetition, admit each of them; the name of a
    variant that contains a comma has a condition to itself.
    """
    names = [(trial.algorithm, trial.dataset.name, trial.seed) for trial in trials]
    wanted = conditions(names, only)
    return [trial for trial, name in zip(trials, names, strict=True) if admits(wanted, name)]


def conditions(trials: Collection[TrialName], only: Sequence[str]) -> dict[str, list[str]]:
    """Parse `--only`: map algorithm, dataset or seed to the names that it admits, which trials must have."""
    wanted: dict[str, list[str]] = {}
    for condition in only:
        key, equals, values = condition.partition("=")
        if key not in ("algorithm", "dataset", "seed") or not equals or not values:
            raise HarnessError(
                f"--only {condition}: write algorithm=NAME, dataset=NAME or seed=NUMBER, such as algorithm=bc"
            )
        present = {name for trial in trials for name in _names(trial)[key]}
        for value in [values] if values in present else values.split(","):
            if value not in present:
                raise HarnessError(f"--only {condition}: no {key} {value}{nearest(value, sorted(present))}")
            wanted.setdefault(key, []).append(value)
    return wanted


def admits(wanted: Mapping[str, Collection[str]], trial: TrialName) -> bool:
    """Return whether `conditions` admit a trial."""
    return all(not _names(trial)[key].isdisjoint(values) for key, values in wanted.items())


def _names(trial: TrialName) -> dict[str, set[str]]:
    """Return the names that select the trial; for a variant of a sweep, also the swept algorithm."""
    algorithm, dataset, seed = trial
    return {"algorithm": {algorithm, algorithm.partition("@")[0]}, "dataset": {dataset}, "seed": {str(seed)}}
