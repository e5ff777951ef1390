from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.storage import lease as lease_module
from harness.storage import progress as progress_module
from harness.storage.lease import Lease
from harness.storage.progress import Progress, TrialProgress, scan
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import Store
from harness.storage.trial_record import TrialRecord
from tests.storage.make import finish, in_every_store, prepared, result


@in_every_store
def test_scan_derives_states_from_files(store: Store) -> None:
    results = prepared(store)
    done, running, failed, waiting = results.requested_trials()
    finish(results, done)
    lease = Lease.acquire(store)
    lease.show_running([running.key])
    lease._write()
    results.record(running).write_progress(
        {"step": 500, "steps_per_second": 250.0, "normalized_score": 12.5, "return_mean": 3.0}
    )
    broken = results.record(failed)
    broken.claim(1, 0)
    broken.commit_error("ValueError: no", 1)
    seen = scan(RunDirectory.load(store))
    assert [trial.state for trial in seen.trials] == ["done", "running", "failed", "waiting"]
    assert seen.by_key[running.key].score == 12.5
    assert seen.by_key[failed.key].reason == "ValueError: no"
    assert seen.by_key[waiting.key].step == 0
    assert (seen.step, seen.steps, seen.steps_per_second) == (1500, 4000, 250.0)
    assert seen.driver is not None
    lease.release()
    after = scan(RunDirectory.load(store))
    assert after.driver is None
    assert after.by_key[running.key].state == "waiting"


def test_running_trial_shows_a_checkpoint_after_its_latest_evaluation(store: Store) -> None:
    results = prepared(store)
    trial, *_ = results.requested_trials()
    record = results.record(trial)
    record.claim(1, 0)
    record.commit_checkpoint(320, b"state")
    lease = Lease.acquire(store)
    lease.show_running([trial.key])
    lease._write()
    seen = scan(results).by_key[trial.key]
    assert (seen.state, seen.step) == ("running", 320)
    lease.release()


@pytest.mark.parametrize(
    ("failed_under", "selected", "running", "state"),
    [
        (1, None, True, "failed"),  # the list of running trials is older
        (0, None, False, "waiting"),  # the driver will try it again
        (0, None, True, "running"),
        (0, [], False, "failed"),
    ],
)
def test_scan_of_a_failed_trial_depends_on_the_driver_that_tried_it(
    store: Store, failed_under: int, selected: list[str] | None, running: bool, state: str
) -> None:
    results = prepared(store)
    failed, *_ = results.requested_trials()
    record = results.record(failed)
    record.claim(failed_under, 0)
    record.commit_error("ValueError: no", failed_under)
    assert scan(results).by_key[failed.key].state == "failed"
    lease = Lease.acquire(store)
    lease.show_running([failed.key] if running else [])
    lease._write()
    results.save(runs=[{"driver": 1, "selected": selected}])
    assert scan(results).by_key[failed.key].state == state
    lease.release()


@pytest.mark.parametrize("finished", [True, False])
def test_trial_of_an_algorithm_that_was_edited_since_waits_from_the_start(
    store: Store, finished: bool
) -> None:
    results = prepared(store)
    edited, same, *_ = results.requested_trials()
    for trial in (edited, same):
        record = results.record(trial)
        record.claim(1, 0)
        record.digest = "of other code" if trial is edited else record.digest
        record.commit_checkpoint(500, b"state")
        record.write_progress({"step": 500, "normalized_score": 12.5})
        if finished and trial is edited:
            record.commit_result(result(trial))
    seen = scan(results)
    assert (seen.by_key[edited.key].edited, seen.by_key[same.key].edited) == (True, False)
    assert (seen.by_key[edited.key].state, seen.step) == ("waiting", 500)


def test_scan_does_not_reread_results_of_an_earlier_scan(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = prepared(store)
    first, second, *_ = results.requested_trials()
    finish(results, first)
    earlier = scan(results)
    finish(results, second)
    read: list[str] = []
    monkeypatch.setattr(TrialRecord, "read", _recording(TrialRecord.read, read))
    later = scan(results, earlier)
    assert [trial.state for trial in later.trials] == ["done", "done", "waiting", "waiting"]
    assert read == [results.record(second).name("result.json")]
    store.remove(results.record(first).name("result.json"))
    assert scan(results, later).by_key[first.key].state == "waiting"


def _recording(read: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    def reads(record: TrialRecord, file: str, shape: Any) -> Any:
        names.append(record.name(file))
        return read(record, file, shape)

    return reads


def test_scan_ignores_a_silent_driver_on_another_machine(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = prepared(store)
    monkeypatch.setattr(lease_module, "RENEWAL_SECONDS", 0.1)
    lease = Lease.acquire(store)
    monkeypatch.setattr(lease_module, "_machine", lambda: "another machine")
    assert scan(results).driver is not None
    monkeypatch.setattr(progress_module, "SILENT_SECONDS", -1.0)
    assert scan(results).driver is not None  # its clock differs, but it renews the lease
    lease._released.set()
    lease._thread.join()
    assert scan(results).driver is None


def trial(algorithm: str, state: str, step: int, pace: float | None) -> TrialProgress:
    return TrialProgress(f"{algorithm}-{state}", algorithm, "x", 0, 1000, state, step, pace)  # type: ignore[arg-type]


def test_seconds_left_uses_the_speed_of_each_algorithm() -> None:
    trials = [
        trial("td3", "running", 500, 10.0),
        trial("bc", "done", 1000, 100.0),
        trial("bc", "waiting", 0, None),
    ]
    assert Progress(trials).seconds_left(1) == pytest.approx(50 + 10)
    assert Progress(trials).seconds_left(4) == pytest.approx(50), "the longest trial runs alone"


def test_seconds_left_without_measured_speed_is_unknown() -> None:
    assert Progress([trial("bc", "running", 0, None)]).seconds_left() is None
    assert Progress([trial("bc", "done", 1000, 5.0)]).seconds_left() == 0.0


def test_seconds_left_without_running_trials_requires_a_concurrency() -> None:
    stopped = Progress([trial("bc", "waiting", 500, 5.0)])
    assert stopped.seconds_left() is None
    assert stopped.seconds_left(concurrency=1) == 100.0


def test_seconds_left_ignores_trials_that_are_not_selected() -> None:
    other = trial("bc", "waiting", 0, 5.0)
    other.selected = False
    assert Progress([trial("td3", "running", 500, 10.0), other]).seconds_left() == 50.0


def test_scan_with_a_selection_marks_only_selected_failures_as_waiting(store: Store) -> None:
    results = prepared(store)
    first, second, *_ = results.requested_trials()
    for failed in (first, second):
        record = results.record(failed)
        record.claim(0, 0)
        record.commit_error("ValueError: no", 0)
    lease = Lease.acquire(store)
    results.save(runs=[{"ended": None, "driver": lease.number, "selected": [second.key]}])
    seen = scan(RunDirectory.load(store))
    assert [(each.state, each.selected) for each in seen.trials[:2]] == [("failed", False), ("waiting", True)]
    assert seen.by_key[second.key].reason is None
    lease.release()
    assert [each.state for each in scan(RunDirectory.load(store)).trials[:2]] == ["failed", "failed"]


def test_scan_reads_the_last_score_of_a_finished_trial_from_its_result(store: Store) -> None:
    results = prepared(store)
    first, *_ = results.requested_trials()
    finish(results, first)
    seen = scan(results).by_key[first.key]
    assert (seen.score, seen.score_kind) == (10.0, "normalized score")


def test_update_without_a_normalized_score_shows_the_return() -> None:
    seen = TrialProgress("k", "bc", "mine", 0, 1000)
    seen.update({"step": 5, "return_mean": -3.0, "normalized_score": None, "trial": ""})
    assert (seen.score, seen.score_kind) == (-3.0, "return")
