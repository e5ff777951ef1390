"""Passes the evaluations of a run to experiment trackers, in a separate thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, Protocol

from harness.errors import first_line
from harness.trial import Trial

Ended = Literal["finished", "failed", "stopped"]


class Tracker(Protocol):
    """Logs to the experiment tracker that `str` names. Methods may block on the network, and may raise."""

    def start(self, trial: Trial) -> int:
        """Open or continue the run of a trial; return the last gradient step that was logged, -1 if none."""

    def log(self, key: str, step: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of the evaluation after `step` gradient steps to the run of the trial `key`."""

    def end(self, key: str, ended: Ended) -> None:
        """Close the run of a trial."""


LastSteps = dict[str, int]
"""The last logged step of each open run, by trial key."""


class Tracking:
    """Logs evaluations to trackers in a separate thread, so that a slow tracker does not delay the run.

    After an exception, logging to that tracker stops; results do not depend on trackers. They are made in
    the thread, because importing their packages takes seconds.
    """

    def __init__(
        self,
        make: Callable[[], Sequence[Tracker]],
        say: Callable[[str], None],
        close_seconds: float = 60.0,
    ) -> None:
        self._make = make
        self._say = say
        self._close_seconds = close_seconds
        self._queue: queue.SimpleQueue[Callable[[Tracker, LastSteps], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="trackers", daemon=True)
        self._thread.start()

    def log(self, trial: Trial, step: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of the evaluation after `step` gradient steps."""
        self._queue.put(partial(_log, trial, step, metrics))

    def end(self, trial: Trial, ended: Ended) -> None:
        """Close the run of a trial."""
        self._queue.put(partial(_end, trial.key, ended))

    def close(self) -> None:
        """Close all runs and wait until everything is logged, but no longer than `close_seconds`."""
        self._queue.put(_end_all)
        self._queue.put(None)
        self._thread.join(self._close_seconds)
        if self._thread.is_alive():
            self._say(f"note: a tracker did not accept the last metrics within {self._close_seconds:g} s")

    def _run(self) -> None:
        try:
            trackers: dict[Tracker, LastSteps] = {tracker: {} for tracker in self._make()}
        except Exception as error:
            self._say(f"note: cannot log to trackers ({first_line(error)})")
            return
        while (action := self._queue.get()) is not None:
            for tracker, last_steps in list(trackers.items()):
                try:
                    action(tracker, last_steps)
                except Exception as error:
                    del trackers[tracker]
                    self._say(f"note: stopped logging to {tracker} ({first_line(error)})")


def _log(
    trial: Trial, step: int, metrics: Mapping[str, float], tracker: Tracker, last_steps: LastSteps
) -> None:
    """Start the run with its first metrics; skip steps that were logged before the trial was resumed."""
    if trial.key not in last_steps:
        last_steps[trial.key] = tracker.start(trial)
    if step > last_steps[trial.key]:
        tracker.log(trial.key, step, metrics)
        last_steps[trial.key] = step


def _end(key: str, ended: Ended, tracker: Tracker, last_steps: LastSteps) -> None:
    if last_steps.pop(key, None) is not None:
        tracker.end(key, ended)


def _end_all(tracker: Tracker, last_steps: LastSteps) -> None:
    for key in list(last_steps):
        _end(key, "stopped", tracker, last_steps)
