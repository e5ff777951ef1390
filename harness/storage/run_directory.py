"""A results directory as a whole: its experiment, its trials and the tables assembled from them.

experiment.yaml       the experiment with every setting
manifest.json         the runs: versions, machines, times, dataset digests
evaluations.parquet   one row per evaluation of every finished trial
scores.csv            one row per finished trial
offline_estimates.csv one row per finished trial whose policy was evaluated from data alone (selection)
trials/KEY/           the record of a trial, from which the tables are assembled
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Set
from typing import Any, NamedTuple, Unpack

from harness import experiment_file, safe_yaml, trial_selection
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.storage import lease, manifest
from harness.storage.differences import differences
from harness.storage.manifest import MANIFEST, Manifest
from harness.storage.stores import Found, Store, map_concurrently
from harness.storage.trial_record import RESULT, TRIALS, TrialRecord
from harness.storage.trial_result import TrialResult
from harness.trial import NOT_IN_DIGEST, Trial

EXPERIMENT = "experiment.yaml"
_SECTIONS = {"dataset": "datasets.*", "hyperparameters": "algorithms.*", "training": "training"}
"""Where an experiment file has the settings of a section of a trial."""
RESULT_NEUTRAL_KEYS = (
    "description",
    "resources",
    "selection",
    *(f"{_SECTIONS[section]}.{key}" for section, keys in NOT_IN_DIGEST.items() for key in keys),
)
"""Settings that no result depends on; they may change between two runs of one experiment."""


class _Files(NamedTuple):
    """The bytes of both files as they were last read or written; None if a file does not exist."""

    experiment: bytes | None
    manifest: bytes | None


class RunDirectory:
    """Holds one experiment and its results, and the keys of the trials that any run has requested.

    `selected` are the keys of those that this run is limited to; None for all.
    """

    def __init__(
        self,
        store: Store,
        files: _Files,
        experiment: Experiment,
        manifest: Manifest,
        requested: Set[str],
        selected: Set[str] | None = None,
    ) -> None:
        self.store = store
        self.experiment = experiment
        self.manifest = manifest
        self._files = files
        self._requested = requested
        self._selected = selected

    @classmethod
    def load(cls, store: Store) -> RunDirectory:
        """Read a results directory; raise a HarnessError if its experiment is missing or was edited."""
        files = _read(store)
        if files.experiment is None:
            raise HarnessError(
                f"{store.target}: no experiment here (no {EXPERIMENT}); start one with harness run FILE"
            )
        experiment = _parse_unedited(store, files)
        content = manifest.parse(files.manifest, store)
        return cls(store, files, experiment, content, _requested(experiment, content))

    @classmethod
    def prepare(cls, store: Store, experiment: Experiment, only: Iterable[str]) -> RunDirectory:
        """Prepare a run of this experiment in the directory, without writing anything yet.

        The experiment may extend the one in the directory, if it has all of its trials. It may also be a part
        of that one; the run is then limited to this part, and to the trials that meet the conditions `only`.

        Raises:
            HarnessError: if the directory contains another experiment or unrelated files.
        """
        files = _read(store)
        content = manifest.parse(files.manifest, store)
        selected = _keys(trial_selection.select(experiment.trials(), list(only)))
        if _digest(experiment_file.dump(experiment)) in content.get("experiments", [])[-1:]:
            held = experiment  # even if its file has been edited since
        elif not _contents(store):  # no run has reached its first trial
            return cls(store, files, experiment, {}, selected, selected)
        elif files.experiment is None:
            raise HarnessError(
                f"{store.target}: contains files but no experiment ({_contents(store)[0]}); choose a new or "
                "empty directory with --output"
            )
        else:
            held = _parse_unedited(store, files)
        requested = _requested(held, content) | selected
        if not _has_all_trials(experiment, held):
            if not _has_all_trials(held, experiment):
                raise _different_experiment(store, held, experiment)
            neutral = [path.partition(".")[0] for path in RESULT_NEUTRAL_KEYS if "*" not in path]
            neutral_values = {name: getattr(experiment, name) for name in neutral}
            experiment = _with_paths(held, experiment).model_copy(update=neutral_values)
        return cls(store, files, experiment, content, requested, selected)

    def requested_trials(self) -> list[Trial]:
        """Return the trials that any run has requested, in the experiment's order."""
        return [trial for trial in self.experiment.trials() if trial.key in self._requested]

    def selected_trials(self) -> list[Trial]:
        """Return the requested trials that are selected for this run."""
        trials = self.requested_trials()
        return trials if self._selected is None else [each for each in trials if each.key in self._selected]

    def selected_keys(self) -> list[str] | None:
        """Return the keys of the trials that this run is limited to; None if it includes all of them."""
        if self._selected is None or self._selected >= self._requested:
            return None
        return sorted(self._selected)

    def relocate_data(self, experiment: Experiment) -> None:
        """Take the paths of data files from an experiment; results do not depend on them."""
        self.experiment = _with_paths(self.experiment, experiment)

    def record(self, trial: Trial) -> TrialRecord:
        """Return the record of a trial."""
        return TrialRecord(self.store, trial)

    def save(self, **changes: Unpack[Manifest]) -> None:
        """Write the manifest with these changes, and the experiment if it is new or was extended.

        The experiment is written last, so a run that is killed in between leaves the previous one, or none.
        """
        text = experiment_file.dump(self.experiment)
        digest = _digest(text)
        before = self.manifest.get("experiments", [])
        every = _keys(self.experiment.trials())
        self.manifest |= changes
        self.manifest["experiments"] = before if digest in before[-1:] else [*before, digest]
        self.manifest["requested"] = None if self._requested >= every else sorted(self._requested & every)
        data, content = text.encode(), manifest.dumps(self.manifest)
        self.store.write(MANIFEST, content)
        if self.store.read(EXPERIMENT) != data:
            self.store.write(EXPERIMENT, data)
        self._files = _Files(data, content)

    def require_unchanged(self) -> None:
        """Raise a HarnessError if another driver has changed the directory since its files were read."""
        if _read(self.store) != self._files:
            raise HarnessError(
                f"{self.store.target}: another driver has changed the results in the meantime; run the "
                "command again"
            )

    def finished(self, trials: Iterable[Trial]) -> dict[str, TrialResult]:
        """Return the valid results by trial key."""
        files = set(self.store.names(TRIALS))
        present = [trial for trial in trials if self.record(trial).name(RESULT) in files]
        return self.read_records(present, TrialRecord.result)

    def read_records(
        self, trials: Iterable[Trial], read: Callable[[TrialRecord], Found | None]
    ) -> dict[str, Found]:
        """Return what `read` finds in the records of trials, by trial key, where that is not None."""
        records = [self.record(trial) for trial in trials]
        found = map_concurrently(self.store, read, records)
        pairs = zip(records, found, strict=True)
        return {record.key: each for record, each in pairs if each is not None}


def has_begun(store: Store) -> bool:
    """Return whether a run has written its experiment to the store."""
    return store.read(EXPERIMENT) is not None


def _read(store: Store) -> _Files:
    return _Files(store.read(EXPERIMENT), store.read(MANIFEST))


def _parse_unedited(store: Store, files: _Files) -> Experiment:
    """Parse the experiment of the last run; raise a HarnessError if its file has changed since then."""
    source = f"{store.target}/{EXPERIMENT}"
    restore = f"To restore it, run the original file: harness run FILE --output {shlex.quote(store.target)}"
    text = (files.experiment or b"").decode(errors="replace")
    if not text.strip():
        raise HarnessError(f"{source} is empty. {restore}")
    experiment = experiment_file.parse(text, source)
    known = manifest.parse(files.manifest, store).get("experiments")
    if known and _digest(text) not in known:
        raise HarnessError(
            f"{source} has changed since the last run. {restore}. To add seeds, datasets or algorithms, run "
            "an edited copy in the same way; for any other change, choose a new --output"
        )
    return experiment


def _different_experiment(store: Store, held: Experiment, experiment: Experiment) -> HarnessError:
    before, after = (_relevant(experiment_file.dump(each)) for each in (held, experiment))
    changes = differences(before, after)
    return HarnessError(
        f"{store.target} contains the results of a different experiment: {'; '.join(changes)}. An experiment "
        "can gain seeds, datasets and algorithms, but its existing trials must keep their settings. Choose "
        f"another directory with --output, or remove {store.target}"
    )


def _with_paths(experiment: Experiment, other: Experiment) -> Experiment:
    """Return the experiment with the paths that its data files have in another one."""
    paths = {dataset.name: dataset.path for dataset in other.datasets if dataset.path is not None}
    datasets = tuple(
        dataset.model_copy(update={"path": paths[dataset.name]}) if dataset.name in paths else dataset
        for dataset in experiment.datasets
    )
    return experiment.model_copy(update={"datasets": datasets})


def _requested(experiment: Experiment, manifest: Manifest) -> set[str]:
    """Return the keys of the trials that earlier runs have requested."""
    requested = manifest.get("requested")
    return _keys(experiment.trials()) if requested is None else set(requested)


def _keys(trials: Iterable[Trial]) -> set[str]:
    return {trial.key for trial in trials}


def _has_all_trials(experiment: Experiment, other: Experiment) -> bool:
    """Return whether the experiment has every trial of the other one, with the same settings."""
    digests = {trial.key: trial.digest for trial in experiment.trials()}
    return all(digests.get(trial.key) == trial.digest for trial in other.trials())


def _digest(text: str) -> str:
    """Return the SHA-256 of everything in an experiment file that results depend on.

    It is computed from the text rather than from the parsed settings, to which later versions may add.
    """
    canonical = json.dumps(_relevant(text), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _relevant(text: str) -> dict[str, Any]:
    """Return the content of an experiment file without the keys that no result depends on."""
    content: dict[str, Any] = safe_yaml.read(text, EXPERIMENT)
    for path in RESULT_NEUTRAL_KEYS:
        _remove(content, path)
    return content


def _remove(node: Any, path: str) -> None:
    """Remove the value at a dotted path, if any; `*` stands for every item of a list or mapping."""
    key, _, rest = path.partition(".")
    if key == "*":
        for item in node.values() if isinstance(node, dict) else node:
            _remove(item, rest)
    elif isinstance(node, dict) and key in node:
        if rest:
            _remove(node[key], rest)
        else:
            del node[key]


def _contents(store: Store) -> list[str]:
    """Return the names of all files except those that every run writes first."""
    first = (EXPERIMENT, MANIFEST)
    return [name for name in store.names() if name not in first and not name.startswith(lease.FOLDER)]
