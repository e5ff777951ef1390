from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from harness.trial import Trial
from harness.tuning.tracking import Ended, Tracking
from tests.tuning.test_trackers import METRICS, TRIAL


class Recorder:
    """A tracker with one run, which records calls and raises from `log` at a step."""

    def __init__(self, last_step: int = -1, breaks_at: int | None = None) -> None:
        self.last_step = last_step
        self.breaks_at = breaks_at
        self.calls: list[Any] = []

    def __str__(self) -> str:
        return "recorder"

    def start(self, trial: Trial) -> int:
        self.calls.append("start")
        return self.last_step

    def log(self, key: str, step: int, metrics: Mapping[str, float]) -> None:
        if step == self.breaks_at:
            raise OSError("no route to host")
        self.calls.append((step, dict(metrics)))

    def end(self, key: str, ended: Ended) -> None:
        self.calls.append(ended)


def test_tracking_logs_metrics_at_gradient_steps() -> None:
    recorder = Recorder()
    tracking = Tracking(lambda: [recorder], print)
    tracking.log(TRIAL, 100, METRICS)
    tracking.log(TRIAL, 200, METRICS)
    tracking.end(TRIAL, "finished")
    tracking.close()
    assert recorder.calls == ["start", (100, METRICS), (200, METRICS), "finished"]


def test_tracking_after_resume_logs_no_step_twice() -> None:
    recorder = Recorder(last_step=200)
    tracking = Tracking(lambda: [recorder], print)
    for step in (100, 200, 300, 300):
        tracking.log(TRIAL, step, METRICS)
    tracking.close()
    assert [call[0] for call in recorder.calls[1:-1]] == [300]
    assert recorder.calls[-1] == "stopped"


def test_tracking_with_a_failing_tracker_keeps_the_others_and_reports_it_once() -> None:
    broken, whole, said = Recorder(breaks_at=200), Recorder(), list[str]()
    tracking = Tracking(lambda: [broken, whole], said.append)
    for step in (100, 200, 300):
        tracking.log(TRIAL, step, METRICS)
    tracking.close()
    assert [call[0] for call in whole.calls[1:-1]] == [100, 200, 300]
    assert [call[0] for call in broken.calls[1:]] == [100]
    assert said == ["note: stopped logging to recorder (no route to host)"]


def test_tracking_with_a_hanging_tracker_closes_after_a_limit() -> None:
    blocked, said = threading.Event(), list[str]()

    def hang() -> list[Recorder]:
        blocked.wait(10)
        return []

    Tracking(hang, said.append, close_seconds=0.05).close()
    blocked.set()
    assert said == ["note: a tracker did not accept the last metrics within 0.05 s"]
