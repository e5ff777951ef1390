"""A results directory as a whole: which experiment it holds, what is done, and what it is all assembled into.

experiment.yaml       every value that was used
manifest.json         what ran it: versions, machines, times, dataset digests
evaluations.parquet   one row per evaluation of every finished trial
scores.csv            one row per finished trial
trials/KEY/           the record that all of these are made from
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from harness import experiment_file
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.storage import lease
from harness.storage.stores import Store, map_concurrently
from harness.storage.trial_record import RESULT, TRIALS, TrialRecord
from harness.trial import Trial
from harness.validation import validate

EXPERIMENT = "experiment.yaml"
MANIFEST = "manifest.json"
RESULT_NEUTRAL_KEYS = ("description", "resources")
"""Settings that no result depends on; they may change between two runs of one experiment."""


class _Files(NamedTuple):
    """What was last read or written of the two; None where there is no such file."""

    experiment: bytes | None
    manifest: bytes | None


class RunDirectory:
    """
    Args:
        files: what the experiment and manifest were read from.
        only: the selections (`--only`) asked for so far, one list per run; an empty one asks for all.
        now: the one that this run is confined to.
    """

    def __init__(
        self,
        store: Store,
        files: _Files,
        experiment: Experiment,
        manifest: dict[str, Any],
        only: Sequence[Sequence[str]],
        now: Sequence[str] = (),
    ) -> None:
        self.store = store
        self.experiment = experiment
        self.manifest = manifest
        self.only = [list(conditions) for conditions in only]
        self._now = now
        self._files = files

    @classmethod
    def load(cls, store: Store) -> RunDirectory:
        """
        Raises:
            HarnessError: where there is no experiment, or its file was edited since it ran.
        """
        return cls._load(store, _read(store))

    @classmethod
    def _load(cls, store: Store, files: _Files) -> RunDirectory:
        experiment = _experiment(store, files)
        if experiment is None:
            raise HarnessError(
                f"{store.target}: no experiment here (no {EXPERIMENT}); start one with harness run FILE"
            )
        manifest = _manifest(store, files.manifest)
        if "experiment" in manifest:
            ran = manifest["experiment"]
            changes = _changes(ran, _dumped(experiment))
            if changes and not _extends(experiment, _of_this_version(ran)):
                raise HarnessError(
                    f"{store.target}/{EXPERIMENT} was edited since it ran: {'; '.join(changes)}. Undo that, "
                    f"or start the edited one anew: harness run {store.target}/{EXPERIMENT} --output ANOTHER"
                )
        return cls(store, files, experiment, manifest, manifest.get("only", [[]]))

    @classmethod
    def prepare(cls, store: Store, experiment: Experiment, only: Sequence[str]) -> RunDirectory:
        """What a run of this experiment goes on with; nothing is written yet.

        It may be larger than the one that the directory holds, with all trials of that and others; where it
        is a part of that, the run is confined to it.

        Raises:
            HarnessError: where the directory holds another experiment or something else.
        """
        files = _read(store)
        if files.experiment is None:
            _require_empty(store)
            return cls(store, files, experiment, {}, [only], only)
        results = cls._load(store, files)
        held, asked = results.experiment, results.only
        changes = _changes(_dumped(held), _dumped(experiment))
        if changes and not _contents(store):  # the other was refused or ended before its first trial
            return cls(store, files, experiment, {}, [only], only)
        if changes and _extends(experiment, held):
            asked = [_confined(each, held) for each in asked]
        elif changes and _extends(held, experiment):
            only, part = _confined(only, experiment), _dumped(experiment)
            experiment = validate(Experiment, _dumped(held) | {key: part[key] for key in RESULT_NEUTRAL_KEYS})
        elif changes:
            raise HarnessError(
                f"{store.target} holds the results of another experiment: {'; '.join(changes)}. It can gain "
                "seeds, datasets and algorithms, but what is there must stay as it is. Choose another "
                f"directory with --output, or remove {store.target}"
            )
        if [] not in asked and list(only) not in asked:
            asked = [*asked, list(only)] if only else [[]]
        return cls(store, files, experiment, results.manifest, asked, only)

    def requested_trials(self) -> list[Trial]:
        """Those that were asked for in any run, in the experiment's order."""
        every = self.experiment.trials()
        asked = {trial.key for only in self.only for trial in experiment_file.select(every, only)}
        return [trial for trial in every if trial.key in asked]

    def selected_trials(self) -> list[Trial]:
        """Those of them that this run is about."""
        return experiment_file.select(self.requested_trials(), self._now)

    def record(self, trial: Trial) -> TrialRecord:
        return TrialRecord(self.store, trial.key, trial.digest)

    def save(self, **changes: Any) -> None:
        """Write the experiment and the manifest with these changes.

        Of an experiment that grows the file may be ahead of the manifest, never behind. Where there is none
        yet it comes last: without it nothing has begun, and what was asked for is not lost.
        """
        data = experiment_file.dump(self.experiment).encode()
        before = self.store.read(EXPERIMENT)
        if before not in (None, data):
            self.store.write(EXPERIMENT, data)
        self.manifest |= changes
        self.manifest |= {"experiment": _dumped(self.experiment), "only": self.only}
        text = json.dumps(self.manifest, indent=2, ensure_ascii=False).encode() + b"\n"
        self.store.write(MANIFEST, text)
        if before is None:
            self.store.write(EXPERIMENT, data)
        self._files = _Files(data, text)

    def require_unchanged(self) -> None:
        """
        Raises:
            HarnessError: when another driver has written the experiment or manifest since they were read.
        """
        if _read(self.store) != self._files:
            raise HarnessError(f"{self.store.target}: another driver has been at work here; run it again")

    def finished(self, trials: Iterable[Trial]) -> dict[str, dict[str, Any]]:
        """The valid results by trial key."""
        files = set(self.store.names(TRIALS))
        present = [record for trial in trials if (record := self.record(trial)).name(RESULT) in files]
        results = map_concurrently(self.store, TrialRecord.result, present)
        return {
            record.key: result for record, result in zip(present, results, strict=True) if result is not None
        }


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """What changed between two nested values, one `path: old -> new` each, at most five."""
    if isinstance(old, list) and isinstance(new, list) and _by_place(old, new):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        found = [
            line
            for key in keys
            for line in differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        ]
    else:
        found = [] if old == new else [f"{path}: {_short(old)} -> {_short(new)}"]
    return found if len(found) <= 5 else [*found[:5], "..."]


def _by_place(old: list[Any], new: list[Any]) -> bool:
    """Whether two lists are better told apart item by item: long items are cut before they differ."""
    return len(old) == len(new) or any(isinstance(item, dict) for item in [*old, *new])


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What changed between two experiments, but for what no result depends on."""
    ran, now = (
        {key: value for key, value in each.items() if key not in RESULT_NEUTRAL_KEYS} for each in (old, new)
    )
    return differences(ran, now)


def _dumped(experiment: Experiment) -> dict[str, Any]:
    return experiment.model_dump(mode="json")


def _of_this_version(raw: Any) -> Experiment | None:
    """An experiment as a manifest has it; None where another version wrote it, with other settings."""
    try:
        return validate(Experiment, raw)
    except HarnessError:
        return None


def _extends(experiment: Experiment, other: Experiment | None) -> bool:
    """Whether it has every trial of the other, unchanged."""
    digests = {trial.key: trial.digest for trial in experiment.trials()}
    return other is not None and all(digests.get(trial.key) == trial.digest for trial in other.trials())


def _confined(only: Sequence[str], experiment: Experiment) -> list[str]:
    """The selection, admitting no more than it does in this experiment also once that has grown."""
    names = {
        "algorithm": list(experiment.columns()),
        "dataset": [dataset.name for dataset in experiment.datasets],
        "seed": [str(seed) for seed in experiment.seeds],
    }
    chosen = {condition.partition("=")[0] for condition in only}
    return [*only, *(f"{key}={','.join(values)}" for key, values in names.items() if key not in chosen)]


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def has_begun(store: Store) -> bool:
    """Whether a run has got as far as to write its experiment there."""
    return store.read(EXPERIMENT) is not None


def stored_manifest(store: Store) -> dict[str, Any]:
    """
    Raises:
        HarnessError: when it is damaged.
    """
    return _manifest(store, store.read(MANIFEST))


def _read(store: Store) -> _Files:
    return _Files(store.read(EXPERIMENT), store.read(MANIFEST))


def _experiment(store: Store, files: _Files) -> Experiment | None:
    if files.experiment is None:
        return None
    if not files.experiment.strip() and "experiment" in _manifest(store, files.manifest):
        raise HarnessError(
            f"{store.target}/{EXPERIMENT} is empty; copy into it what {MANIFEST} has under experiment"
        )
    try:
        return experiment_file.parse(files.experiment.decode(), f"{store.target}/{EXPERIMENT}")
    except UnicodeDecodeError:
        raise HarnessError(f"{store.target}/{EXPERIMENT} is damaged: not a text file") from None


def _manifest(store: Store, data: bytes | None) -> dict[str, Any]:
    try:
        manifest = json.loads(data or b"{}")
        only = manifest.get("only", [])
        shaped = isinstance(manifest.get("experiment", {}), dict) and isinstance(
            manifest.get("runs", []), list
        )
        if shaped and all(isinstance(condition, str) for each in only for condition in each):
            return cast(dict[str, Any], manifest)
    except (ValueError, AttributeError, TypeError):
        pass
    raise HarnessError(
        f"{store.target}/{MANIFEST} is damaged; remove it and harness resume {store.target} writes a new one"
    )


def _require_empty(store: Store) -> None:
    contents = _contents(store)
    if contents:
        raise HarnessError(
            f"{store.target}: holds files but no experiment ({contents[0]}); choose an empty or new "
            "directory with --output"
        )


def _contents(store: Store) -> list[str]:
    """All that a run leaves but what it begins with."""
    beginning = (EXPERIMENT, MANIFEST)
    return [name for name in store.names() if name not in beginning and not name.startswith(lease.FOLDER)]
