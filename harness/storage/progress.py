"""How far a run is: from its files alone, or kept up to date by the driver."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable
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
from harness.trial import Trial

State = Literal["done", "running", "failed", "waiting", "paused", "stopped"]
"""A paused trial waits until the samples of its search are compared; a stopped one was not among the best."""
STATES: tuple[State, ...] = ("done", "running", "failed", "waiting", "paused", "stopped")
ENDED: tuple[State, ...] = ("done", "stopped")
SILENT_SECONDS = 60.0
"""A driver on another machine that has not been heard of for so long is not at work."""


@dataclass
class TrialProgress:
    """Says how far a trial is."""

    key: str
    algorithm: str
    dataset: str
    seed: int
    steps: int
    """Gradient steps that it will take."""
    state: State = "waiting"
    step: int = 0
    """Gradient steps of its latest evaluation while it runs; else those that its newest checkpoint keeps."""
    steps_per_second: float | None = None
    score: float | None = None
    """The normalized score of its latest evaluation; the mean return without reference scores."""
    reason: str | None = None
    """Why it failed."""
    diverged: str | None = None
    """Which metrics are not finite, and from which step."""

    @classmethod
    def of(cls, trial: Trial) -> TrialProgress:
        """Return the progress of a trial that has not begun."""
        steps = trial.training.gradient_steps
        return cls(trial.key, trial.algorithm, trial.dataset.name, trial.seed, steps)

    def update(self, report: ProgressNote | dict[str, Any]) -> None:
        """Update the progress with the report of an evaluation."""
        self.step = report["step"]
        self.steps_per_second = report.get("steps_per_second") or self.steps_per_second
        self.diverged = report.get("diverged")
        score = report.get("normalized_score")
        self.score = report.get("return_mean") if score is None else score


@dataclass
class Progress:
    """Says how far the trials of a run are."""

    trials: list[TrialProgress]
    driver: lease.Holder | None = None
    """The driver at work; None without one."""
    selection: estimates.SelectionProgress | None = None
    """How far the estimates of finished policies are; None where the experiment asks for none."""
    by_key: dict[str, TrialProgress] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.by_key = {trial.key: trial for trial in self.trials}

    def count(self, state: State) -> int:
        """Return the number of trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def complete(self) -> bool:
        """Return whether every trial has its result, and every policy the estimate that is asked for."""
        waiting = self.selection.missing if self.selection is not None else []
        return not self.unfinished() and not waiting

    def unfinished(self) -> list[TrialProgress]:
        """Return the trials that have no result and were not stopped."""
        return [trial for trial in self.trials if trial.state not in ENDED]

    def running(self) -> list[TrialProgress]:
        """Return the trials at work."""
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
        """Estimate the time to the end, at the speed of each algorithm; None before any was measured.

        Args:
            concurrency: how many trials run at the same time; by default as many as run now.
        """
        pace = _seconds_per_step(self.trials)
        if not pace:
            return None
        typical = sum(pace.values()) / len(pace)
        ahead = [
            (trial.steps - trial.step) * pace.get(trial.algorithm, typical)
            for trial in self.trials
            if trial.state in ("running", "waiting")
        ]
        lanes = max(1, concurrency if concurrency is not None else len(self.running()))
        return max([sum(ahead) / lanes, *ahead]) if ahead else 0.0


def scan(results: RunDirectory, earlier: Progress | None = None) -> Progress:
    """Read from the files how far the selected trials are, on any machine, with or without a driver.

    Args:
        earlier: an earlier look at the same results; what was done then is not read again.
    """
    driver = _driver_at_work(results)
    at_work = set(driver["running"]) if driver else set()
    files = set(results.store.names(TRIALS))
    kept = checkpoint_steps(files)
    known = {trial.key: trial for trial in earlier.trials if trial.state == "done"} if earlier else {}

    def look(trial: Trial) -> TrialProgress:
        if trial.key in known and f"{TRIALS}/{trial.key}/{RESULT}" in files:
            return known[trial.key]
        newest = max(kept.get(trial.key, ()), default=0)
        return _look(results.record(trial), trial, files, trial.key in at_work, newest)

    trials = results.selected_trials()
    progress = Progress(
        map_concurrently(results.store, look, trials), driver, estimates.scan(results, trials, files)
    )
    mark_rungs(progress, rungs.read(results))
    return progress


def mark_rungs(progress: Progress, found: rungs.Rungs) -> None:
    """Mark the trials that were stopped by halving, and those that wait for its next decision."""
    at_rung = {
        sample: rung for standing in found.standings.values() for sample, rung in standing.stopped.items()
    }
    for trial in progress.trials:
        if trial.state in ("waiting", "failed", "paused"):
            if trial.algorithm in at_rung:
                trial.state, trial.reason = (
                    "stopped",
                    f"stopped by halving at step {at_rung[trial.algorithm]:,}",
                )
            elif trial.key in found.paused and trial.state == "waiting":
                trial.state = "paused"
            elif trial.state == "paused":
                trial.state = "waiting"


def _look(
    record: TrialRecord, trial: Trial, files: Container[str], at_work: bool, kept: int
) -> TrialProgress:
    progress = TrialProgress.of(trial)
    if record.name(PROGRESS) in files and (seen := record.progress()) is not None:
        progress.update(seen)
    if record.name(RESULT) in files and (result := record.result()) is not None:
        progress.state, progress.step = "done", progress.steps
        progress.diverged = first_divergence(result["rows"])
    elif at_work:
        progress.state = "running"
    else:
        if progress.step > kept:  # its latest evaluations are lost
            progress.score = progress.diverged = None
        progress.step = kept
        if record.name(ERROR) in files and (reason := record.error()) is not None:
            progress.state, progress.reason = "failed", reason
    return progress


def _driver_at_work(results: RunDirectory) -> lease.Holder | None:
    _, holder = lease.latest(results.store)
    if holder is None:
        return None
    here = lease.alive_here(holder)
    alive = _was_heard_of(results, holder) if here is None else here
    return holder if alive else None


def _was_heard_of(results: RunDirectory, holder: lease.Holder) -> bool:
    """Return whether a driver of another machine, whose clock may differ, is at work."""
    return abs(time.time() - holder["renewed"]) < SILENT_SECONDS or lease.renews(results.store)


def _seconds_per_step(trials: Iterable[TrialProgress]) -> dict[str, float]:
    """Return for each algorithm the mean over its trials that have reported."""
    measured: dict[str, list[float]] = {}
    for trial in trials:
        if trial.steps_per_second:
            measured.setdefault(trial.algorithm, []).append(1.0 / trial.steps_per_second)
    return {algorithm: sum(paces) / len(paces) for algorithm, paces in measured.items()}
