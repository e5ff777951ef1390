"""Updates the progress, the display and the trackers from the reports of Tune."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ray import tune
from ray.tune.experiment import Trial as TunePack
from typing_extensions import override

from harness.errors import HarnessError
from harness.stdout import StdoutError
from harness.storage.assembly import assemble
from harness.storage.lease import Lease
from harness.storage.progress import TrialProgress
from harness.storage.stores import StorageError, absolute_target
from harness.storage.trial_record import LOG, SupersededError
from harness.storage.trial_state import State
from harness.tuning.best_so_far import BestSoFar
from harness.tuning.display import Display
from harness.tuning.last_output import last_output, start_failure
from harness.tuning.messages import Ended, Evaluated
from harness.tuning.plan import Plan
from harness.tuning.signals import Signals
from harness.tuning.summary import describe_trial
from harness.tuning.trackers import make_trackers
from harness.tuning.tracking import Tracking

Work = TypeVar("Work")
MAX_FAILED_STARTS = 3
"""The run ends after this many failed starts of workers if none has succeeded."""


class Monitor(tune.Callback):
    """Follows a run from inside Tune's loop, keeps the progress of its plan up to date, and ends it cleanly.

    When a signal ends the run, trials that do not save their state within `stop_seconds` keep their last
    checkpoint.
    """

    def __init__(
        self,
        plan: Plan,
        lease: Lease,
        display: Display,
        signals: Signals,
        stop_seconds: float = 10.0,
    ) -> None:
        results = plan.results
        self.results = results
        self.lease = lease
        self.progress = plan.progress
        self.display = display
        self.signals = signals
        self.stop_seconds = stop_seconds
        self.fatal: Exception | None = None
        """Raised at the end of Tune's step to end the run; raised earlier, it would become a traceback."""
        name, target = results.experiment.name, absolute_target(results.store)
        trackers = partial(make_trackers, name, target, plan.options)
        self._tracking = Tracking(trackers, self.say)
        self._trials = {trial.key: trial for trial in results.selected_trials()}
        self._best = BestSoFar(results, self.progress)
        self._next_assembly = time.monotonic() + 60
        self._stop_deadline: float | None = None
        self._any_reported = False
        self._failed_starts = 0

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune saves its callbacks, but they are never restored

    def close(self) -> None:
        """Wait until the trackers have logged everything."""
        self._tracking.close()

    def guard(self, work: Iterator[Work]) -> Iterator[Work]:
        """Yield the work; an error raised while it is computed ends the run."""
        try:
            yield from work
        except HarnessError as error:
            self.fatal = error

    @override
    def on_step_end(self, iteration: int, trials: list[TunePack], **info: Any) -> None:
        if self.signals.received is not None:
            self._stop()
        if self.fatal:
            raise self.fatal
        if self.lease.lost:
            raise HarnessError(f"{self.results.store.target}: another driver has taken over")
        self.display.update()

    @override
    def on_trial_start(self, iteration: int, trials: list[TunePack], trial: TunePack, **info: Any) -> None:
        for progress in self._of(trial):
            if progress.state == "waiting" and self._stop_deadline is None:
                self._set_state(progress, "running")

    @override
    def on_trial_result(
        self, iteration: int, trials: list[TunePack], trial: TunePack, result: dict[str, Any], **info: Any
    ) -> None:
        self._any_reported = True
        for event in result["events"]:
            self._process(event)

    @override
    def on_trial_recover(self, iteration: int, trials: list[TunePack], trial: TunePack, **info: Any) -> None:
        failure = start_failure(trial.error_file)
        if failure is not None and not self._any_reported:
            self._failed_starts += 1
            if self._failed_starts == MAX_FAILED_STARTS:
                self.fatal = HarnessError(f"no worker can start ({failure})")
                self._fail_all(trial, f"its worker cannot start ({failure})")
        reason = self._reason(trial)
        for progress in self._running(trial):
            self.say(f"lost {describe_trial(progress)}: {reason}; it continues from its last checkpoint")
            self._set_state(progress, "waiting")

    @override
    def on_trial_error(self, iteration: int, trials: list[TunePack], trial: TunePack, **info: Any) -> None:
        """Fail the trials of a worker that died too often, or never started."""
        self._fail_all(trial, self._reason(trial))

    def _reason(self, trial: TunePack) -> str:
        """Return why the worker of a Tune trial died, as far as its log shows."""
        failure = start_failure(trial.error_file)
        if failure is not None:
            return f"its worker cannot start ({failure})"
        for progress in self._of(trial):
            record = self.results.record(self._trials[progress.key])
            with suppress(StorageError):
                output = last_output(self.results.store.read(record.name(LOG)) or b"")
                if output is not None:
                    return f"its worker died ({output})"
        return "its worker died"

    def _fail_all(self, trial: TunePack, reason: str) -> None:
        """Mark the trials of a lost worker as failed, also in their records."""
        for progress in self._running(trial):
            record = self.results.record(self._trials[progress.key])
            with suppress(StorageError, SupersededError):
                record.claim(self.lease.number, progress.step)
                record.commit_error(reason, self.lease.number)
            self._fail(progress, reason)

    def _process(self, event: Evaluated | Ended) -> None:
        progress, trial = self.progress.by_key[event.key], self._trials[event.key]
        if isinstance(event, Evaluated):
            progress.update(event.note)
            self._tracking.log(trial, event.note["step"], event.metrics)
        elif event.state == "failed":
            self._fail(progress, event.reason)
            if event.fatal:
                self.fatal = HarnessError(event.reason)
        elif event.state == "done":
            progress.step = progress.steps
            self._set_state(progress, "done")
            self._tracking.end(trial, "finished")
            self._show(lambda: self.display.finished(progress))
            if (line := self._best.after(progress.algorithm)) is not None:
                self.say(line)
            self._assemble_periodically()
        else:
            progress.step = progress.step if event.step is None else event.step
            self._set_state(progress, event.state)

    def _stop(self) -> None:
        """Ask the running trials to save their state; raise an error when they have, or take too long."""
        if self._stop_deadline is None:
            self._stop_deadline = time.monotonic() + self.stop_seconds
            if self.progress.running():
                self.lease.ask_to_stop()
                self.say("stopping: every trial saves its current step; a second signal ends the run at once")
        if not self.progress.running() or time.monotonic() >= self._stop_deadline:
            self.signals.raise_if_received()

    def _fail(self, progress: TrialProgress, reason: str) -> None:
        progress.reason = reason
        self._set_state(progress, "failed")
        self._tracking.end(self._trials[progress.key], "failed")
        self.say(f"failed {describe_trial(progress)}: {reason}")

    def say(self, line: str) -> None:
        """Show one line to the user."""
        self._show(lambda: self.display.say(line))

    def _show(self, show: Callable[[], None]) -> None:
        """Show something; if standard output cannot be written, end the run after this step of Tune."""
        try:
            show()
        except StdoutError as error:
            self.fatal = error

    def _set_state(self, progress: TrialProgress, state: State) -> None:
        progress.state = state
        self.lease.show_running([trial.key for trial in self.progress.running()])

    def _of(self, trial: TunePack) -> list[TrialProgress]:
        """Return the trials of a pack, which is a single trial for Tune."""
        return [self.progress.by_key[key] for key in trial.config["keys"]]

    def _running(self, trial: TunePack) -> list[TrialProgress]:
        return [progress for progress in self._of(trial) if progress.state in ("running", "waiting")]

    def _assemble_periodically(self) -> None:
        """Write the tables so far, at most once a minute and in at most 2 % of the time."""
        now = time.monotonic()
        if now >= self._next_assembly:
            with suppress(StorageError):  # the last assembly, at the end, raises it
                if not self.lease.superseded():
                    assemble(self.results)
            self._next_assembly = time.monotonic() + max(60.0, 50 * (time.monotonic() - now))
