"""Estimates of the values of finished trials' policies, for selection without the environment.

trials/KEY/fqe-DIGEST.json   the estimate for one policy; DIGEST identifies the settings of the selection
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Set
from typing import NamedTuple

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from harness.policies.names import FINAL
from harness.storage import checksummed_json
from harness.storage.run_directory import RunDirectory
from harness.storage.trial_record import RESULT, TRIALS, TrialRecord
from harness.training.settings import SelectionSettings
from harness.trial import Trial


class Estimate(TypedDict):
    """The content of the file of an estimate."""

    trial: str
    """Digest of the trial's settings."""
    value: float
    """Discounted return from the initial states of the dataset's episodes, in the units of its rewards."""
    td_error: float
    """Root mean square of the TD errors over the dataset."""
    seconds: float
    """Wall time; in a pack, an equal share of it."""


_ESTIMATE = TypeAdapter(Estimate)


class SelectionProgress(NamedTuple):
    """The progress of the estimates of a run's trials."""

    method: str
    done: int
    missing: list[Trial]
    """Finished trials with a policy and without an estimate."""
    without_policy: list[Trial]
    """Finished trials whose final policy was not kept."""


def file_name(settings: SelectionSettings) -> str:
    """Return the file name of an estimate with these settings."""
    content = checksummed_json.canonical(settings.model_dump(mode="json"))
    return f"{settings.method}-{hashlib.sha256(content.encode()).hexdigest()[:12]}.json"


def scan(
    results: RunDirectory, trials: Iterable[Trial], names: Set[str] | None = None
) -> SelectionProgress | None:
    """Return which trials have an estimate, judging by file names; None if the experiment has no selection.

    `names` are the names of all files of all trials, if they are already known.
    """
    settings = results.experiment.selection
    if settings is None:
        return None
    names = set(results.store.names(TRIALS)) if names is None else names
    file = file_name(settings)
    done: list[Trial] = []
    missing: list[Trial] = []
    without_policy: list[Trial] = []
    for trial in trials:
        folder = f"{TRIALS}/{trial.key}"
        if f"{folder}/{RESULT}" not in names:
            continue
        if f"{folder}/{file}" in names:
            done.append(trial)
        else:
            (missing if f"{folder}/{FINAL}" in names else without_policy).append(trial)
    return SelectionProgress(settings.method, len(done), missing, without_policy)


def commit(record: TrialRecord, settings: SelectionSettings, estimate: Estimate) -> None:
    """Write the estimate of a finished trial.

    No attempt owns a finished trial, but its policy never changes, so all writers write the same values.
    """
    record.store.write(record.name(file_name(settings)), checksummed_json.dumps(estimate))


def read(record: TrialRecord, settings: SelectionSettings) -> Estimate | None:
    """Return the estimate of a trial; None if it is missing, damaged or of another trial."""
    found = record.read(file_name(settings), _ESTIMATE)
    return found if found is not None and record.is_of_trial(found["trial"]) else None


def read_all(results: RunDirectory, trials: Iterable[Trial]) -> dict[str, Estimate]:
    """Return the estimates with the experiment's settings by trial key."""
    settings = results.experiment.selection
    if settings is None:
        return {}
    return results.read_records(trials, lambda record: read(record, settings))


def discard_damaged(results: RunDirectory, trials: Iterable[Trial]) -> bool:
    """Remove estimates that cannot be read; return whether there were any."""
    settings = results.experiment.selection
    if settings is None:
        return False
    found = False
    for record in map(results.record, trials):
        name = record.name(file_name(settings))
        if results.store.read(name) is not None and read(record, settings) is None:
            results.store.remove(name)
            found = True
    return found
