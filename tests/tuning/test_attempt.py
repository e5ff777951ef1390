from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.storage.lease import Lease
from harness.storage.provenance import versions
from harness.storage.stores import StorageError, Store, open_store
from harness.storage.trial_record import TrialRecord
from harness.training.evaluation import Evaluation
from harness.training.settings import TrainingSettings
from harness.trial import Trial
from harness.tuning.attempt import MAX_DEATHS, Attempt
from harness.tuning.messages import Assignment, Ended, Evaluated
from harness.tuning.trial_session import Clock, TrialSession
from tests.faults.fake import FakePack
from tests.storage.make import experiment

FAKE = "tests.faults.fake:FakePack"


UNHURRIED = Clock(sleep=lambda seconds: None)

pytestmark = pytest.mark.usefixtures("fast_fakes")

TRIAL = experiment(training={"gradient_steps": 500}, evaluation={"interval": 100, "episodes": 3}).trials()[0]


def assignment(target: str, **changes: Any) -> Assignment:
    return Assignment(
        trials=[TRIAL], store=target, driver=1, versions=versions(), checkpoint_seconds=0, pack=FAKE
    ).model_copy(update=changes)


def advance(attempt: Attempt) -> Ended:
    """Advance once; return how the only trial ended."""
    end = attempt.advance()["events"][-1]
    assert isinstance(end, Ended)
    return end


def finish(attempt: Attempt) -> tuple[list[int], Ended]:
    """Advance to the end; return the steps of the reported evaluations, and how the only trial ended."""
    events = []
    while True:
        report = attempt.advance()
        events += report["events"]
        if report["done"]:
            break
    attempt.close()
    *evaluated, ended = events
    assert isinstance(ended, Ended)
    return [event.note["step"] for event in evaluated], ended


def record(target: str, trial: Trial = TRIAL) -> TrialRecord:
    return TrialRecord(open_store(target), trial)


def record_of(attempt: Attempt) -> TrialRecord:
    """Return the record of the only trial of an attempt."""
    (session,) = attempt._sessions.values()
    return session.record


def rows(target: str) -> list[dict[str, Any]]:
    result = record(target).result()
    assert result is not None
    return [
        {key: value for key, value in row.items() if not key.endswith("_seconds")} for row in result["rows"]
    ]


def test_attempt_reports_each_evaluation_and_commits_the_result(target: str) -> None:
    assert finish(Attempt(assignment(target))) == ([100, 200, 300, 400, 500], Ended(TRIAL.key, "done"))
    assert [row["step"] for row in rows(target)] == [100, 200, 300, 400, 500]
    assert record(target).progress()["step"] == 500


def test_attempt_on_slow_storage_commits_checkpoints_less_often(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)

    def commit_slowly(*_: object) -> None:
        clock.now += 4.0
        committed.append(clock.now)

    def train(pack: FakePack, should_stop: object) -> None:
        clock.now += 10.0
        advance(pack)

    advance, committed = FakePack.advance, list[float]()
    monkeypatch.setattr(TrialSession, "commit_checkpoint", commit_slowly)
    monkeypatch.setattr(FakePack, "advance", train)
    long = TRIAL.model_copy(update={"training": TrainingSettings(gradient_steps=3000)})
    finish(Attempt(assignment(target, checkpoint_seconds=15, trials=[long]), clock=Clock(lambda: clock.now)))
    assert committed == [24.0, 108.0, 192.0, 276.0, 320.0]  # 80 s and a commit apart, and at the end


def test_report_of_late_evaluations_has_the_rate_of_training(target: str) -> None:
    clock = SimpleNamespace(now=0.0)
    pack = FakePack([TRIAL])
    for _ in range(3):
        pack.advance()
    first, second, third = pack.records[0]
    session = TrialSession(record(target), 1, "cpu", clock=Clock(lambda: clock.now))
    session.begin([], 0)
    clock.now = 4.0
    assert session.report(first, trained=200).note["steps_per_second"] == 50
    clock.now = 5.0
    late = [session.report(evaluation, trained=300) for evaluation in (second, third)]
    assert [event.metrics["steps_per_second"] for event in late] == [100, 100]
    session.files.close()


@pytest.mark.parametrize("evaluations", [1, 2, 4])
def test_attempt_continues_from_the_checkpoint_of_a_lost_one(
    target: str, evaluations: int, tmp_path: Path
) -> None:
    undisturbed = str(tmp_path / "undisturbed")
    finish(Attempt(assignment(undisturbed)))
    lost = Attempt(assignment(target))
    for _ in range(evaluations):
        lost.advance()
    steps, _ = finish(Attempt(assignment(target)))
    assert steps[0] == (evaluations + 1) * 100
    assert rows(target) == rows(undisturbed)


def test_attempt_commits_checkpoints_at_the_requested_interval(target: str) -> None:
    lost = Attempt(assignment(target, checkpoint_seconds=3600))
    lost.advance()
    lost.advance()
    assert record(target).checkpoints() == []
    assert finish(Attempt(assignment(target)))[0][0] == 100


def test_attempt_with_an_unloadable_checkpoint_continues_from_the_previous_one(target: str) -> None:
    lost = Attempt(assignment(target))
    lost.advance()
    lost.advance()
    record_of(lost).commit_checkpoint(250, b"whole, but no checkpoint")
    steps, _ = finish(Attempt(assignment(target)))
    assert steps[0] == 300
    assert "cannot load checkpoint" in (Path(target) / "trials" / TRIAL.key / "log.txt").read_text()


def test_attempt_does_not_execute_code_in_a_checkpoint(target: str, tmp_path: Path) -> None:
    import io
    import os

    import torch

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    buffer = io.BytesIO()
    torch.save({"state": Evil()}, buffer)
    first = record(target)
    first.claim(1, 0)
    first.commit_checkpoint(300, buffer.getvalue())
    assert finish(Attempt(assignment(target)))[0][0] == 100
    assert not (tmp_path / "owned").exists()


def test_attempt_at_a_finished_trial_does_nothing(target: str) -> None:
    finish(Attempt(assignment(target)))
    assert advance(Attempt(assignment(target, pack="no:such"))) == Ended(TRIAL.key, "done")


def test_attempt_killed_between_last_checkpoint_and_result_commits_the_result(target: str) -> None:
    finish(Attempt(assignment(target)))
    before = rows(target)
    open_store(target).remove(f"trials/{TRIAL.key}/result.json")
    assert finish(Attempt(assignment(target))) == ([], Ended(TRIAL.key, "done"))
    assert rows(target) == before


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", "ValueError: told to fail"),
        ("nan", "training diverged: the evaluation at step 200 returned nan, because the policy's"),
    ],
)
def test_attempt_that_fails_reports_one_line_and_the_next_driver_retries(
    target: str, tmp_path: Path, fault: str, reason: str
) -> None:
    fault_file = tmp_path / "faults" / TRIAL.key
    fault_file.write_text(f"{fault} 200")
    _, ended = finish(Attempt(assignment(target)))
    assert ended.state == "failed"
    assert ended.reason.startswith(reason)
    assert "\n" not in ended.reason
    assert record(target).failure()["reason"] == ended.reason
    assert advance(Attempt(assignment(target))) == ended, "the same driver does not try again"
    fault_file.unlink()
    steps, _ = finish(Attempt(assignment(target, driver=2)))
    assert steps[0] == 200
    assert record(target).failure() is None
    finish(Attempt(assignment(str(tmp_path / "undisturbed"))))
    assert rows(target) == rows(str(tmp_path / "undisturbed"))


def test_attempt_whose_pack_cannot_be_created_fails_with_a_log(target: str) -> None:
    report = advance(Attempt(assignment(target, pack="tests.faults.fake:NoSuch")))
    assert "NoSuch" in report.reason
    assert "Traceback" in (Path(target) / "trials" / TRIAL.key / "log.txt").read_text()


def test_error_before_a_trial_starts_is_reported_as_its_failure(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(seed: int) -> None:
        raise RuntimeError("Overflow when unpacking long")

    monkeypatch.setattr("torch.manual_seed", fail)
    report = advance(Attempt(assignment(target)))
    assert report == Ended(TRIAL.key, "failed", reason="RuntimeError: Overflow when unpacking long")
    assert record(target).failure()["reason"] == report.reason


def test_attempt_with_an_invalid_store_reports_the_error(target: str) -> None:
    report = advance(Attempt(assignment("nosuch://bucket/results")))
    assert "nosuch" in report.reason


def test_attempt_after_too_many_deaths_fails(target: str) -> None:
    for _ in range(MAX_DEATHS):
        attempt = Attempt(assignment(target))
        attempt.close()
    report = advance(Attempt(assignment(target)))
    assert "worker process died 3 times" in report.reason
    assert finish(Attempt(assignment(target, driver=2)))[1].state == "done"


def test_attempt_that_was_superseded_changes_nothing(target: str) -> None:
    old = Attempt(assignment(target))
    old.advance()
    finish(Attempt(assignment(target)))
    files = {name: open_store(target).read(name) for name in open_store(target).names() if "log" not in name}
    late = finish(old)
    assert late[1] == Ended(TRIAL.key, "waiting")
    for name, data in files.items():
        if not name.endswith(("progress.json", ".trial")):
            assert open_store(target).read(name) == data, name


def test_attempt_with_failing_storage_is_fatal_and_blames_no_trial(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Attempt(assignment(target), clock=UNHURRIED)

    def full(self: Any, name: str, data: bytes) -> None:
        raise StorageError(f"{target}: cannot write {name} (No space left on device)")

    monkeypatch.setattr("harness.storage.stores.DirectoryStore.write", full)
    report = advance(attempt)
    assert report.fatal
    assert "No space left on device" in report.reason


def test_attempt_retries_storage_that_fails_once(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt(assignment(target), clock=UNHURRIED)
    commit, failures = TrialRecord.commit_checkpoint, [StorageError("a moment")]

    def flaky(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        commit(*arguments)

    monkeypatch.setattr(TrialRecord, "commit_checkpoint", flaky)
    assert all(isinstance(event, Evaluated) for event in attempt.advance()["events"])
    assert [checkpoint.step for checkpoint in record(target).checkpoints()] == [100]


def test_attempt_with_another_version_fails_and_names_it(target: str) -> None:
    report = advance(Attempt(assignment(target, versions=versions() | {"torch": "1.0.0"})))
    assert report.fatal
    assert "has torch 2" in report.reason
    assert "the driver has 1.0.0" in report.reason


def test_attempt_with_another_build_of_a_version_succeeds(target: str) -> None:
    torch_version = versions()["torch"].partition("+")[0] + "+cu999"
    other_build = assignment(target, versions=versions() | {"torch": torch_version})
    assert finish(Attempt(other_build))[1].state == "done"


def test_attempt_without_the_requested_gpu_fails(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    report = advance(Attempt(assignment(target, device="cuda")))
    assert "resources.gpus requests a GPU" in report.reason


def test_attempt_that_hangs_ends_the_process_and_is_not_retried(target: str, tmp_path: Path) -> None:
    fault_file = tmp_path / "faults" / TRIAL.key
    fault_file.write_text("hang 200")
    code = (
        "from tests.faults import fake\n"
        "from tests.tuning.test_attempt import *\n"
        f"fake.FAULTS = {str(fault_file.parent)!r}\n"
        f"finish(Attempt(assignment({target!r}, interval_seconds=1.0)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 70
    reason = record(target).failure()["reason"]
    assert reason is not None
    assert "no evaluation within 1 s after step 100" in reason
    assert "fake.py" in (Path(target) / "trials" / TRIAL.key / "log.txt").read_text(), "the traceback"
    assert advance(Attempt(assignment(target))).reason == reason
    fault_file.unlink()
    finish(Attempt(assignment(target, driver=2, interval_seconds=60.0)))
    assert len(rows(target)) == 5


def test_tensorboard_curves_of_a_resumed_trial_have_each_point_once(target: str) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    Attempt(assignment(target)).advance()
    lost = Attempt(assignment(target))
    lost.advance()
    finish(Attempt(assignment(target)))
    curves = EventAccumulator(f"{target}/trials/{TRIAL.key}").Reload()
    assert set(curves.Tags()["scalars"]) == {"return", "normalized_score", "Q1", "actor_loss"}
    assert [event.step for event in curves.Scalars("Q1")] == [100, 200, 300, 400, 500]
    assert curves.Scalars("return")[2].value == pytest.approx(rows(target)[2]["return_mean"])


def test_attempt_with_an_object_store_commits_its_results(s3_bucket: str) -> None:
    target = f"{s3_bucket}/results"
    lost = Attempt(assignment(target))
    lost.advance()
    finish(Attempt(assignment(target)))
    store: Store = open_store(target)
    assert len(rows(target)) == 5
    log = (store.read(f"trials/{TRIAL.key}/log.txt") or b"").decode()
    assert log.count("attempt at") == 2
    assert log.count("step 100:") == 1
    assert store.read(f"trials/{TRIAL.key}/events.out.tfevents.0.trial")


def test_attempt_waits_for_storage_that_fails_briefly_at_the_start(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, failures = TrialRecord.result, [StorageError("a moment")]

    def failing_once(self: TrialRecord) -> dict[str, Any] | None:
        if failures:
            raise failures.pop()
        return result(self)

    monkeypatch.setattr(TrialRecord, "result", failing_once)
    assert finish(Attempt(assignment(target), clock=UNHURRIED))[1].state == "done"
    assert not failures
    assert rows(target)


def test_attempt_without_space_for_the_log_fails_with_one_line(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    report = advance(Attempt(assignment(f"memory://{Path(target).name}")))
    assert report.fatal
    assert report.reason.endswith("log.txt (No space left on device)")


def test_reports_after_divergence_name_its_first_step(target: str) -> None:
    sound = Evaluation(100, 1.0, 0.0, None, (1.0,), 0.0, 0.0, {"q1": 1.0})
    session = TrialSession(record(target), 1, "cpu")
    session.claim(0)
    session.begin([], 0)
    assert session.report(sound, 100).note["diverged"] is None
    diverged = dataclasses.replace(sound, step=200, metrics={"q1": math.nan})
    assert session.report(diverged, 200).note["diverged"] == "q1 not finite from step 200"
    last = session.report(dataclasses.replace(sound, step=500), 500)
    assert last.note["diverged"] == "q1 not finite from step 200"
    session.commit_checkpoint(500, {})
    session.files.close()
    seen = record(target).progress()
    assert seen is not None
    assert seen["diverged"] == "q1 not finite from step 200"


def test_attempt_stopped_between_evaluations_continues_from_that_step(target: str, tmp_path: Path) -> None:
    asked = iter([False] * 130 + [True] * 1000)
    stopped = Attempt(assignment(target, checkpoint_seconds=3600), should_stop=lambda: next(asked))
    _, ended = finish(stopped)
    step = ended.step
    assert ended.state == "waiting"
    assert 100 < step < 200
    assert [checkpoint.step for checkpoint in record(target).checkpoints()] == [step]
    assert record(target).failure() is None
    assert finish(Attempt(assignment(target, driver=2)))[0] == [200, 300, 400, 500]
    assert f"from step {step} by" in (Path(target) / "trials" / TRIAL.key / "log.txt").read_text()
    finish(Attempt(assignment(str(tmp_path / "undisturbed"))))
    assert rows(target) == rows(str(tmp_path / "undisturbed"))


def test_attempt_stopped_before_it_begins_changes_nothing(target: str) -> None:
    assert advance(Attempt(assignment(target), should_stop=lambda: True)) == Ended(TRIAL.key, "waiting")
    assert open_store(target).names("trials") == []


def test_attempt_stops_when_the_drivers_file_requests_it(target: str) -> None:
    lease = Lease.acquire(open_store(target))
    attempt = Attempt(assignment(target, driver=lease.number, checkpoint_seconds=3600))
    lease.ask_to_stop()
    deadline = time.monotonic() + 10
    while not attempt._should_stop() and time.monotonic() < deadline:
        time.sleep(0.01)
    _, ended = finish(attempt)
    lease.release()
    assert ended.state == "waiting"
    assert ended.step
    assert [checkpoint.step for checkpoint in record(target).checkpoints()] == [ended.step]


def test_attempt_commits_policies_before_the_result(target: str) -> None:
    finish(Attempt(assignment(target)))
    result = record(target).result()
    assert result is not None
    assert list(result["policies"]) == ["policy.npz"]
    assert result["policies"] == record(target).policies()
