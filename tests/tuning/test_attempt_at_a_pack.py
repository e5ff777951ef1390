"""Tests of trials in a pack: each behaves as if it were alone, whatever happens to the others."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from harness import datasets
from harness.datasets.dataset import OfflineDataset
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError
from harness.storage.provenance import versions
from harness.storage.stores import open_store
from harness.storage.trial_record import TrialRecord
from harness.tuning.attempt import Attempt
from harness.tuning.messages import Assignment, Ended, Evaluated
from harness.tuning.trial_session import CLOCK, Clock
from tests.faults.fake import FakePack
from tests.storage.make import experiment

TRIALS = experiment(
    training={"gradient_steps": 500},
    evaluation={"interval": 100, "episodes": 3},
    algorithms=["bc"],
    datasets=["pendulum-random-v0", "pendulum-expert-v0"],
    seeds=2,
).trials()


pytestmark = pytest.mark.usefixtures("fast_fakes")


def attempt_at(
    target: str, trials: Any = TRIALS, driver: int = 1, clock: Clock = CLOCK, **changes: Any
) -> Attempt:
    return Attempt(
        Assignment(
            trials=trials,
            store=target,
            driver=driver,
            versions=versions(),
            **{"checkpoint_seconds": 0, "pack": "tests.faults.fake:FakePack", **changes},
        ),
        clock=clock,
    )


def finish(attempt: Attempt) -> list[Evaluated | Ended]:
    """Advance to the end, and return all events."""
    events = []
    while True:
        report = attempt.advance()
        events += report["events"]
        if report["done"]:
            attempt.close()
            return events


def ends(events: list[Evaluated | Ended]) -> dict[str, Ended]:
    return {event.key: event for event in events if isinstance(event, Ended)}


def first_step(events: list[Evaluated | Ended]) -> int:
    assert isinstance(events[0], Evaluated)
    return events[0].note["step"]


def record(target: str, index: int) -> TrialRecord:
    return TrialRecord(open_store(target), TRIALS[index])


def rows(target: str) -> list[Any]:
    results = [record(target, index).result() for index in range(len(TRIALS))]
    return [
        result and [{k: v for k, v in row.items() if not k.endswith("_seconds")} for row in result["rows"]]
        for result in results
    ]


@pytest.fixture
def alone(tmp_path: Path) -> list[Any]:
    """Return the rows of each trial, trained in a separate attempt."""
    target = str(tmp_path / "alone")
    for trial in TRIALS:
        finish(attempt_at(target, [trial]))
    return rows(target)


def test_attempt_at_a_pack_reports_and_commits_each_trial_separately(target: str, alone: list[Any]) -> None:
    events = finish(attempt_at(target))
    assert rows(target) == alone
    for trial in TRIALS:
        own = [event for event in events if event.key == trial.key]
        steps = [event.note["step"] for event in own if isinstance(event, Evaluated)]
        assert steps == [100, 200, 300, 400, 500]
        assert own[-1] == Ended(trial.key, "done")
        assert "finished" in (Path(target) / "trials" / trial.key / "log.txt").read_text()


def test_attempt_at_a_pack_with_a_failed_trial_continues_the_others(
    target: str, tmp_path: Path, alone: list[Any]
) -> None:
    fault_file = tmp_path / "faults" / TRIALS[2].key
    fault_file.write_text("nan 300")
    ended = ends(finish(attempt_at(target)))
    assert ended[TRIALS[2].key].reason.startswith("training diverged: the evaluation at step 300")
    assert rows(target) == [alone[0], alone[1], None, alone[3]]
    assert record(target, 2).failure() is not None
    fault_file.unlink()
    ended = ends(finish(attempt_at(target, driver=2)))
    assert all(end.state == "done" for end in ended.values())
    assert rows(target) == alone


def test_dataset_that_cannot_be_loaded_fails_only_its_trials(
    target: str, alone: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    load = datasets.load

    def without_one(settings: DatasetSettings, data: DataSettings, **more: Any) -> OfflineDataset:
        if settings.name == TRIALS[1].dataset.name:
            raise HarnessError("it could not be downloaded")
        return load(settings, data, **more)

    monkeypatch.setattr(datasets, "load", without_one)
    ended = ends(finish(attempt_at(target)))
    ours = [trial.dataset.name == TRIALS[1].dataset.name for trial in TRIALS]
    assert rows(target) == [None if own else expected for own, expected in zip(ours, alone, strict=True)]
    failed = {trial.key for trial, own in zip(TRIALS, ours, strict=True) if own}
    assert len(failed) == 2
    assert all(ended[key] == Ended(key, "failed", reason="it could not be downloaded") for key in failed)


def test_progress_notes_are_not_written_at_every_evaluation(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[int] = []
    monkeypatch.setattr(TrialRecord, "write_progress", lambda _, content: noted.append(content["step"]))
    finish(attempt_at(target, checkpoint_seconds=3600, clock=Clock(lambda: 0.0)))
    assert sorted(noted) == [100] * len(TRIALS) + [500] * len(TRIALS)


def test_progress_note_of_a_paused_trial_is_its_evaluation_at_the_rung(target: str) -> None:
    finish(attempt_at(target, until=300, clock=Clock(lambda: 0.0)))
    notes = [record(target, index).progress() for index in range(len(TRIALS))]
    assert [note and note["step"] for note in notes] == [300] * len(TRIALS)


def test_error_of_a_pack_fails_all_its_trials(target: str) -> None:
    ended = ends(finish(attempt_at(target, pack="tests.faults.fake:NoSuch")))
    assert len(ended) == len(TRIALS)
    assert all("NoSuch" in end.reason for end in ended.values())


def test_error_of_a_pack_on_a_gpu_is_committed_and_ends_the_process(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exit_process(status: int) -> None:
        raise SystemExit(status)

    def break_down(pack: FakePack, should_stop: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(os, "_exit", exit_process)
    attempt = attempt_at(target, device="cuda")
    with monkeypatch.context() as context:
        context.setattr(FakePack, "advance", break_down)
        with pytest.raises(SystemExit, match="71"):
            attempt.advance()
    ended = ends(finish(attempt_at(target, device="cuda")))
    assert all("illegal memory access" in end.reason for end in ended.values())


def test_out_of_memory_while_loading_a_checkpoint_does_not_restart_training(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    lost = attempt_at(target)
    lost.advance()
    monkeypatch.setattr(FakePack, "load_state_dict", run_out)
    ended = ends(finish(attempt_at(target)))
    assert all("out of memory" in end.reason for end in ended.values())


def test_attempt_at_a_pack_without_a_superseded_trial_continues(target: str, alone: list[Any]) -> None:
    attempt = attempt_at(target)
    attempt.advance()
    finish(attempt_at(target, [TRIALS[1]]))
    before = open_store(target).read(record(target, 1).name("result.json"))
    ended = ends(finish(attempt))
    assert [ended[trial.key].state for trial in TRIALS] == ["done", "waiting", "done", "done"]
    assert open_store(target).read(record(target, 1).name("result.json")) == before
    assert rows(target) == alone


def test_pack_killed_between_the_checkpoints_of_two_trials_resumes(target: str, alone: list[Any]) -> None:
    lost = attempt_at(target)
    for _ in range(3):
        lost.advance()
    newest = sorted((Path(target) / "trials" / TRIALS[3].key).glob("checkpoint-*"))[-1]
    newest.unlink()  # as if it had not been written
    assert first_step(finish(attempt_at(target))) == 300, "continued from step 200, which all have"
    assert rows(target) == alone


def test_pack_killed_between_the_results_of_two_trials_resumes(target: str, alone: list[Any]) -> None:
    finish(attempt_at(target))
    for index in (1, 3):
        open_store(target).remove(record(target, index).name("result.json"))
    shutil.rmtree(Path(target) / "trials" / TRIALS[3].key)
    ended = ends(finish(attempt_at(target)))
    assert all(end.state == "done" for end in ended.values())
    assert rows(target) == alone


def test_attempt_at_a_pack_without_a_common_checkpoint_starts_from_the_beginning(
    target: str, alone: list[Any]
) -> None:
    lost = attempt_at(target, [TRIALS[0]])
    for _ in range(2):
        lost.advance()
    assert first_step(finish(attempt_at(target))) == 100
    assert rows(target) == alone


def test_pack_paused_at_a_rung_continues_bit_identically(target: str, tmp_path: Path) -> None:
    ended = ends(finish(attempt_at(target, until=200)))
    assert list(ended.values()) == [Ended(trial.key, "paused", 200) for trial in TRIALS]
    records = [TrialRecord(open_store(target), trial) for trial in TRIALS]
    for record in records:
        rung = record.rung()
        assert rung is not None
        assert [row["step"] for row in rung["rows"]] == [100, 200]
        assert record.result() is None
    finish(attempt_at(target))
    other = str(tmp_path / "other")
    finish(attempt_at(other))
    for record in records:
        whole = TrialRecord(open_store(other), record.trial).result()
        result = record.result()
        assert result is not None
        assert whole is not None
        assert result["rows"] == whole["rows"]


def test_pack_killed_after_the_checkpoint_of_a_rung_trains_no_further(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(TrialRecord, "commit_rung", die)
        with pytest.raises(KilledError):
            finish(attempt_at(target, until=200))
    monkeypatch.setattr(FakePack, "advance", die)
    assert finish(attempt_at(target, TRIALS[:1], until=200))[-1] == Ended(TRIALS[0].key, "paused", 200)
