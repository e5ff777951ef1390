from __future__ import annotations

import math
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.stdout import StdoutError
from harness.storage.progress import Progress, TrialProgress
from harness.storage.stores import open_store
from harness.storage.trial_record import TrialRecord
from harness.tuning.launch import Options
from harness.tuning.messages import Ended, Evaluated
from harness.tuning.monitor import MAX_FAILED_STARTS, Monitor
from harness.tuning.plan import Plan
from harness.tuning.signals import InterruptedRunError, Signals
from harness.tuning.tracking import Tracker
from tests.tuning.test_trackers import TRIAL

KEY = TRIAL.key


class FakeLease:
    lost = False
    asked = False

    def ask_to_stop(self) -> None:
        self.asked = True

    def show_running(self, keys: list[str]) -> None:
        pass


def plan_of(results: Any, progress: Progress) -> Plan:
    return Plan(results, Options(), [], progress, [], 0, None)


class FakeRun:
    """A monitor of one trial, with fakes."""

    def __init__(self, say: Any = None, stop_seconds: float = 3600.0, target: str = "results") -> None:
        self.said: list[str] = []
        self.lease = FakeLease()
        self.signals = Signals()
        self.progress = Progress([TrialProgress(KEY, "bc", "hopper", 0, 1000)])
        self.trial: Any = SimpleNamespace(config={"keys": [KEY]})
        results: Any = SimpleNamespace(
            selected_trials=lambda: [TRIAL],
            experiment=SimpleNamespace(name="x", searches=dict),
            store=SimpleNamespace(target=target),
        )
        show = say or self.said.append
        display: Any = SimpleNamespace(
            say=show, finished=lambda trial: show(f"finished {trial.key}"), update=lambda: None
        )
        lease: Any = self.lease
        self.monitor = Monitor(
            plan_of(results, self.progress), lease, display, self.signals, stop_seconds=stop_seconds
        )

    def report(self, event: Evaluated | Ended) -> None:
        self.monitor.on_trial_result(0, [], self.trial, {"events": [event]})

    @property
    def state(self) -> str:
        return self.progress.by_key[KEY].state


def test_trackers_of_a_directory_written_differently_continue_the_same_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    targets: list[str] = []

    def make(name: str, target: str, *_: object) -> list[Tracker]:
        targets.append(target)
        return []

    monkeypatch.setattr("harness.tuning.monitor.make_trackers", make)
    for written in ("results", "results/", "./results", str(Path("results").absolute())):
        FakeRun(target=written).monitor.close()
    assert len(targets) == 4
    assert len(set(targets)) == 1


def test_broken_output_ends_the_run_after_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.dup2", lambda *_: None)  # pytest's own output is still needed
    broken = StdoutError(BrokenPipeError(32, "Broken pipe"))

    def say(line: str) -> None:
        raise broken

    run = FakeRun(say)
    run.monitor.on_step_end(0, [])
    run.report(Ended(KEY, "done"))
    assert run.state == "done"
    with pytest.raises(StdoutError) as error:
        run.monitor.on_step_end(1, [])
    assert error.value is broken


def test_error_while_computing_work_ends_the_run_after_the_step() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise HarnessError("trials/x is damaged")

    run = FakeRun()
    assert list(run.monitor.guard(work())) == [1]
    with pytest.raises(HarnessError, match="trials/x is damaged"):
        run.monitor.on_step_end(0, [])


def test_report_of_a_diverged_trial_marks_it_and_the_run_continues() -> None:
    run = FakeRun()
    run.monitor.on_trial_start(0, [], run.trial)
    run.report(Evaluated(KEY, {"step": 100, "diverged": "q1 not finite from step 100"}, {"q1": math.nan}))
    run.monitor.on_step_end(0, [])
    assert run.state == "running"
    assert run.progress.by_key[KEY].diverged == "q1 not finite from step 100"


def test_report_of_a_paused_trial_sets_its_step() -> None:
    run = FakeRun()
    run.monitor.on_trial_start(0, [], run.trial)
    run.report(Ended(KEY, "paused", 300))
    assert run.state == "paused"
    assert run.progress.step == 300


def test_signal_with_running_trials_waits_until_they_are_saved() -> None:
    run = FakeRun()
    run.monitor.on_trial_start(0, [], run.trial)
    run.signals.received = signal.SIGTERM
    for _ in range(3):
        run.monitor.on_step_end(0, [])
    assert run.lease.asked
    assert len(run.said) == 1
    run.report(Ended(KEY, "waiting", 640))
    assert run.state == "waiting"
    assert run.progress.step == 640
    run.monitor.on_trial_start(1, [], run.trial)
    assert run.state == "waiting", "Tune may start what waited"
    with pytest.raises(InterruptedRunError) as error:
        run.monitor.on_step_end(2, [])
    assert error.value.status == 143


def test_signal_with_a_slow_trial_does_not_wait_for_it() -> None:
    run = FakeRun(stop_seconds=0.0)
    run.monitor.on_trial_start(0, [], run.trial)
    run.signals.received = signal.SIGINT
    with pytest.raises(InterruptedRunError):
        run.monitor.on_step_end(0, [])
    assert run.lease.asked


def test_signal_without_running_trials_ends_at_once() -> None:
    run = FakeRun()
    run.signals.received = signal.SIGINT
    with pytest.raises(InterruptedRunError):
        run.monitor.on_step_end(0, [])
    assert run.said == []


NOT_STARTED = "Failure # 1\nan error raised in its creation task, x\nRuntimeError: broken\n"


def dead(error_file: Path | None = None) -> Any:
    """Return a Tune trial whose worker died."""
    return SimpleNamespace(config={"keys": [KEY]}, error_file=error_file)


@pytest.fixture
def not_started(tmp_path: Path) -> Any:
    """Return a Tune trial whose worker could not start."""
    (tmp_path / "error.txt").write_text(NOT_STARTED)
    return dead(tmp_path / "error.txt")


@pytest.fixture
def monitor() -> Monitor:
    store = open_store(f"memory://{uuid.uuid4().hex}/results")
    results: Any = SimpleNamespace(
        experiment=SimpleNamespace(name="x", searches=dict),
        store=store,
        selected_trials=lambda: [TRIAL],
        record=lambda trial: TrialRecord(store, trial),
    )
    said: list[str] = []
    display: Any = SimpleNamespace(say=said.append, said=said, update=lambda: None)
    lease: Any = SimpleNamespace(lost=False, number=1, show_running=list)
    progress = Progress([TrialProgress(KEY, "bc", "hopper", 0, 1000, "running")])
    return Monitor(plan_of(results, progress), lease, display, Signals())


def test_reason_of_a_dead_worker_is_the_last_line_of_its_log(monitor: Monitor) -> None:
    record = TrialRecord(monitor.results.store, TRIAL)
    record.store.write(record.name("log.txt"), b"Fatal Python error: Segmentation fault\nnumpy")
    reason = "its worker died (Fatal Python error: Segmentation fault)"
    monitor.on_trial_recover(1, [], dead())
    assert monitor.display.said[-1].endswith(f"{reason}; it continues from its last checkpoint")
    monitor.on_trial_error(2, [], dead())
    assert monitor.progress.by_key[KEY].reason == record.failure()["reason"] == reason


def test_workers_that_cannot_start_end_the_run_with_their_exception(
    monitor: Monitor, not_started: Any
) -> None:
    for _ in range(MAX_FAILED_STARTS - 1):
        monitor.on_trial_recover(1, [], not_started)
        monitor.on_step_end(1, [])
    monitor.on_trial_recover(1, [], not_started)
    with pytest.raises(HarnessError, match=r"no worker can start \(RuntimeError: broken\)"):
        monitor.on_step_end(1, [])
    reason = "its worker cannot start (RuntimeError: broken)"
    assert TrialRecord(monitor.results.store, TRIAL).failure()["reason"] == reason


def test_workers_that_cannot_start_on_one_machine_do_not_end_the_run(
    monitor: Monitor, not_started: Any
) -> None:
    monitor.on_trial_result(0, [], dead(), {"events": []})
    for _ in range(MAX_FAILED_STARTS):
        monitor.on_trial_recover(1, [], not_started)
    monitor.on_step_end(1, [])
