"""The progress of a run, read from its files or kept up to date by the driver."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.divergence import first_divergence
from harness.storage import estimates, lease, rungs
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import map_concurrently
from harness.storage.trial_record import (
    ERROR,
    PROGRESS,
    RESULT,
    TRIALS,
    ProgressNote,
    TrialRecord,
    checkpoint_steps,
)
from harness.storage.trial_state import ENDED, State
from harness.trial import Trial

ScoreKind = Literal["normalized score", "return"]
SILENT_SECONDS = 60.0
"""A driver on another machine is assumed to have ended if it has not renewed its file for this long."""


@dataclass
class TrialProgress:
    """The progress of a trial."""

    key: str
    algorithm: str
    dataset: str
    seed: int
    steps: int
    """Gradient steps of the whole trial."""
    state: State = "waiting"
    step: int = 0
    """The gradient step of its newest checkpoint or, while it runs, of its latest evaluation if later."""
    steps_per_second: float | None = None
    score: float | None = None
    """The score of its latest evaluation."""
    score_kind: ScoreKind = "normalized score"
    """`return` (the mean over the episodes) on datasets without reference scores."""
    reason: str | None = None
    """Why it failed."""
    diverged: str | None = None
    """The metrics that are not finite, and from which step on."""
    selected: bool = True
    """Whether it is selected for the current run."""
    edited: bool = False
    """Whether its algorithm or this package has changed since, so that it has to be trained again."""

    def update(self, note: ProgressNote) -> None:
        """Update the progress with an evaluation."""
        self.step = note["step"]
        self.steps_per_second = note.get("steps_per_second") or self.steps_per_second
        self.diverged = note.get("diverged")
        self._set_score(note)

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set the progress of a finished trial from the evaluations in its result."""
        self.state, self.step = "done", self.steps
        self.diverged = first_divergence(rows)
        if rows:
            self._set_score(max(rows, key=lambda row: int(row["step"])))

    def _set_score(self, evaluation: Mapping[str, Any]) -> None:
        normalized = evaluation.get("normalized_score")
        self.score_kind = "return" if normalized is None else "normalized score"
        self.score = evaluation.get("return_mean") if normalized is None else normalized


@dataclass
class Progress:
    """The progress of the trials of a run."""

    trials: list[TrialProgress]
    driver: lease.Holder | None = None
    """The current driver; None if no run is in progress."""
    selection: estimates.SelectionProgress | None = None
    """The progress of the estimates of finished policies; None if the experiment has no selection."""
    by_key: dict[str, TrialProgress] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.by_key = {trial.key: trial for trial in self.trials}

    def count(self, state: State) -> int:
        """Return the number of trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def complete(self) -> bool:
        """Return whether every trial has its result and every requested estimate exists."""
        waiting = self.selection.missing if self.selection is not None else []
        return not self.unfinished() and not waiting

    def unfinished(self) -> list[TrialProgress]:
        """Return the trials that have no result and were not stopped."""
        return [trial for trial in self.trials if trial.state not in ENDED]

    def running(self) -> list[TrialProgress]:
        """Return the running trials."""
        return [trial for trial in self.trials if trial.state == "running"]

    def failed(self) -> list[TrialProgress]:
        """Return the trials whose last attempt failed."""
        return [trial for trial in self.trials if trial.state == "failed"]

    @property
    def step(self) -> int:
        """Return the gradient steps taken by all trials."""
        return sum(trial.step for trial in self.trials)

    @property
    def steps(self) -> int:
        """Return the gradient steps that all trials will take."""
        return sum(trial.step if trial.state == "stopped" else trial.steps for trial in self.trials)

    @property
    def steps_per_second(self) -> float:
        """Return the rate of all running trials together."""
        return sum(trial.steps_per_second or 0.0 for trial in self.running())

    def seconds_left(self, concurrency: int | None = None) -> float | None:
        """Estimate the time to the end, at the speed of each algorithm; None before any speed was measured.

        `concurrency` trials run at the same time, by default as many as run now; None if none runs.
        """
        unfinished = [
            trial for trial in self.trials if trial.state in ("running", "waiting") and trial.selected
        ]
        if not unfinished:
            return 0.0
        workers = len(self.running()) if concurrency is None else concurrency
        measured = _seconds_per_step(self.trials)
        if not measured or not workers:
            return None
        mean = sum(measured.values()) / len(measured)
        seconds = [(trial.steps - trial.step) * measured.get(trial.algorithm, mean) for trial in unfinished]
        return max(sum(seconds) / workers, *seconds)


def scan(results: RunDirectory, earlier: Progress | None = None, *, planning: bool = False) -> Progress:
    """Read the progress of the selected trials from files, on any machine, with or without a driver.

    Trials that were finished in an `earlier` scan are not read again. If a new driver is `planning` to take
    over, any other driver is ignored.
    """
    driver = None if planning else _current_driver(results)
    files = set(results.store.names(TRIALS))
    kept = checkpoint_steps(files)
    known = {trial.key: trial for trial in earlier.trials if trial.state == "done"} if earlier else {}

    def scan_trial(trial: Trial) -> TrialProgress:
        if trial.key in known and f"{TRIALS}/{trial.key}/{RESULT}" in files:
            return known[trial.key]
        newest = max(kept.get(trial.key, ()), default=0)
        return _scan_trial(results.record(trial), trial, files, driver, newest)

    trials = results.selected_trials()
    progress = Progress(
        map_concurrently(results.store, scan_trial, trials),
        driver.holder if driver else None,
        estimates.scan(results, trials, files),
    )
    mark_rungs(progress, rungs.read(results))
    return progress


def mark_rungs(progress: Progress, found: rungs.Rungs) -> None:
    """Mark the trials that halving has stopped, and those that wait for its next decision."""
    stopped = found.stopped_samples
    for trial in progress.trials:
        if trial.state in ("running", "done"):
            continue
        if (rung := stopped.get(trial.algorithm)) is not None:
            trial.state, trial.reason = "stopped", f"stopped by halving at step {rung:,}"
        elif trial.state != "failed":
            trial.state = "paused" if trial.key in found.paused else "waiting"


@dataclass(frozen=True)
class _Driver:
    """The current driver."""

    number: int
    holder: lease.Holder
    selected: Set[str] | None
    """Keys of the trials selected for it; None for all."""


def _scan_trial(
    record: TrialRecord, trial: Trial, files: Container[str], driver: _Driver | None, kept: int
) -> TrialProgress:
    steps = trial.training.gradient_steps
    progress = TrialProgress(trial.key, trial.algorithm, trial.dataset.name, trial.seed, steps)
    progress.selected = driver is None or driver.selected is None or trial.key in driver.selected
    if record.name(PROGRESS) in files and (seen := record.progress()) is not None:
        progress.update(seen)
    result = record.result() if record.name(RESULT) in files else None
    if result is not None:
        progress.finish(result["rows"])
        return progress
    failure = record.failure() if record.name(ERROR) in files else None
    tried_again = driver is not None and failure is not None and failure["driver"] != driver.number
    if failure is not None and not (tried_again and progress.selected):
        progress.state, progress.reason = "failed", failure["reason"]
    elif driver is not None and trial.key in driver.holder["running"]:
        progress.state = "running"
    if progress.state != "running":
        started = any(record.name(file) in files for file in (PROGRESS, RESULT))
        progress.edited = started and record.is_of_other_code()
        kept = 0 if progress.edited else kept
        if progress.step > kept:  # its latest evaluations were lost
            progress.score = progress.diverged = None
        progress.step = kept
    progress.step = max(progress.step, kept)  # a stop also keeps steps after the latest evaluation
    return progress


def _current_driver(results: RunDirectory) -> _Driver | None:
    number, holder = lease.latest(results.store)
    if holder is None:
        return None
    alive = lease.alive_here(holder)
    if alive is None:  # on another machine, whose clock may differ
        alive = abs(time.time() - holder["renewed"]) < SILENT_SECONDS or lease.renews(results.store)
    if not alive:
        return None
    runs = results.manifest.get("runs", [])
    selected = runs[-1].get("selected") if runs and runs[-1].get("driver") == number else None
    return _Driver(number, holder, None if selected is None else set(selected))


def _seconds_per_step(trials: Iterable[TrialProgress]) -> dict[str, float]:
    """Return the mean for each algorithm, over its trials whose speed was measured."""
    measured: dict[str, list[float]] = {}
    for trial in trials:
        if trial.steps_per_second:
            measured.setdefault(trial.algorithm, []).append(1.0 / trial.steps_per_second)
    return {algorithm: sum(seconds) / len(seconds) for algorithm, seconds in measured.items()}
