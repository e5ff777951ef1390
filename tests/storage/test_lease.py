from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import psutil
import pytest

from harness.errors import HarnessError
from harness.storage import checksummed_json
from harness.storage import lease as lease_module
from harness.storage.lease import Lease, latest, latest_number
from harness.storage.stores import Store, open_store
from tests.storage.make import in_every_store


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "RENEWAL_SECONDS", 0.1)
    monkeypatch.setattr(lease_module, "PATIENCE_SECONDS", 1.0)


@in_every_store
def test_acquire_of_a_held_directory_names_the_holder(store: Store) -> None:
    held = Lease.acquire(store)
    with pytest.raises(HarnessError, match=r"another driver is already running here \(process \d+ on "):
        Lease.acquire(open_store(store.target))
    held.release()
    again = Lease.acquire(store)
    assert again.number == held.number + 1
    again.release()
    assert latest(store) == (again.number, None)


@in_every_store
def test_acquire_by_many_drivers_at_once_succeeds_for_one(store: Store) -> None:
    barrier = threading.Barrier(6)
    outcomes: list[Lease | None] = []

    def race() -> None:
        mine = open_store(store.target)
        barrier.wait()
        try:
            outcomes.append(Lease.acquire(mine))
        except HarnessError:
            outcomes.append(None)

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if outcome is not None]
    assert len(winners) == 1
    winners[0].release()


def test_acquire_after_a_driver_on_this_machine_was_killed_succeeds_at_once(store: Store) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    _leave_holder(store, pid=process.pid)
    with pytest.raises(HarnessError, match=f"process {process.pid} "):
        Lease.acquire(store)
    process.kill()
    process.wait()
    started = time.monotonic()
    Lease.acquire(store).release()
    assert time.monotonic() - started < 1.0


def test_zombie_of_a_killed_driver_does_not_hold_the_directory(store: Store) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    _leave_holder(store, pid=process.pid)
    process.kill()
    deadline = time.monotonic() + 10
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    Lease.acquire(store).release()
    process.wait()


def test_driver_keeps_its_lease_when_the_clock_is_set(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Lease.acquire(store)
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) + 3600)
    with pytest.raises(HarnessError, match="already running here"):
        Lease.acquire(open_store(store.target))
    held.release()


def test_acquire_with_a_reused_process_id_succeeds(store: Store) -> None:
    _leave_holder(store, process_started=12345.0)
    Lease.acquire(store).release()


def test_renewing_driver_on_another_machine_keeps_the_directory(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Lease.acquire(store)
    monkeypatch.setattr(lease_module, "_machine", lambda: "another machine")
    lines: list[str] = []
    with pytest.raises(HarnessError, match="already running here"):
        Lease.acquire(open_store(store.target), lines.append)
    assert "checking whether the driver on" in lines[0]
    held.release()


def test_acquire_after_a_driver_on_another_machine_went_silent_succeeds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _leave_holder(store, machine="another machine")
    taken = Lease.acquire(store)
    assert taken.number == 8
    taken.release()


def test_lease_taken_over_meanwhile_is_marked_as_lost(store: Store) -> None:
    held = Lease.acquire(store)
    store.write(f".drivers/{held.number + 1:06d}.json", b"another took over")
    deadline = time.monotonic() + 10
    while not held.lost and time.monotonic() < deadline:
        time.sleep(0.02)
    assert held.lost
    held.release()


@in_every_store
def test_lease_in_a_store_without_conditional_writes_has_one_holder(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some S3-compatible stores ignore the conditions of a PUT."""

    def create(self: Store, name: str, data: bytes) -> bool:
        self.write(name, data)
        return True

    monkeypatch.setattr(type(store), "create", create)
    first = Lease.acquire(store)
    monkeypatch.setattr(lease_module, "latest", lambda _: (first.number - 1, None))
    second = Lease.acquire(open_store(store.target))
    assert (first.superseded(), second.superseded()) == (True, False)
    first.release()
    assert not second.superseded()
    second.release()


@in_every_store
def test_acquire_with_a_lost_answer_holds_the_lease(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file was created, but a retry reports that it already exists."""
    create = type(store).create
    monkeypatch.setattr(type(store), "create", lambda *arguments: create(*arguments) and False)
    held = Lease.acquire(store)
    assert held.number == 1
    held.release()


def test_acquire_with_a_damaged_lease_file_succeeds(store: Store) -> None:
    store.write(".drivers/000004.json", b'{"sha256": "half')
    taken = Lease.acquire(store)
    assert taken.number == 5
    taken.release()


def test_lease_numbers_grow_and_earlier_files_are_removed(store: Store) -> None:
    for _ in range(3):
        Lease.acquire(store).release()
    assert latest_number(store) == 3
    assert store.names(".drivers") == [".drivers/000003.json"]


def test_lease_lists_the_running_trials(store: Store) -> None:
    held = Lease.acquire(store)
    held.show_running(["bc--x--0"])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        holder = latest(store)[1]
        if holder and holder["running"] == ["bc--x--0"]:
            break
        time.sleep(0.02)
    else:
        pytest.fail("the lease never lists the running trial")
    held.release()


def _leave_holder(store: Store, **changes: object) -> None:
    content: dict[str, Any] = {**lease_module._new_holder()}
    if "pid" in changes:
        content["process_started"] = lease_module._start_time(int(str(changes["pid"])))
    store.write(".drivers/000007.json", checksummed_json.dumps(content | changes))


def test_lease_writes_running_trials_before_the_next_renewal(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "RENEWAL_SECONDS", 3.0)
    held = Lease.acquire(store)
    started = time.monotonic()
    held.show_running(["a", "b"])
    while (holder := latest(store)[1]) is None or holder["running"] != ["a", "b"]:
        assert time.monotonic() - started < 2.0
        time.sleep(0.01)
    held.release()


def test_request_to_stop_is_not_overwritten_by_a_renewal_in_progress(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "RENEWAL_SECONDS", 0.1)
    held = Lease.acquire(store)
    write, renewing = store.write, threading.Event()

    def write_late(name: str, data: bytes) -> None:
        if threading.current_thread() is not threading.main_thread():
            renewing.set()
            time.sleep(0.3)
        write(name, data)

    monkeypatch.setattr(store, "write", write_late)
    assert renewing.wait(10)
    held.ask_to_stop()
    held._released.set()
    held._thread.join()
    assert lease_module.asks_to_stop(store, held.number)
