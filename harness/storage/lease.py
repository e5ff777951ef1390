"""One driver per results directory, on a file system or in an object store alike.

The drivers of a directory are numbered: exactly one creates `.drivers/000007.json`, and the driver with the
highest number holds the directory. The holder rewrites its file every few seconds. Another driver takes the
next number once the holder's process has ended (on the same machine) or its file no longer changes (on
another machine). No clocks are compared, and no file that another driver may need is deleted.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NotRequired

import psutil
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from harness.errors import HarnessError
from harness.storage import checksummed_json
from harness.storage.checksummed_json import DamagedError
from harness.storage.stores import StorageError, Store

FOLDER = ".drivers"
RENEWAL_SECONDS = 5.0
PATIENCE_SECONDS = 20.0
"""How long the file of a holder on another machine must stay unchanged before its directory is taken over."""


class Holder(TypedDict):
    """The content of a driver's file."""

    token: str
    host: str
    machine: str
    pid: Annotated[int, Field(gt=0, lt=2**31)]
    process_started: float | None
    started: Annotated[float, Field(ge=0, lt=2**33)]
    """Seconds since 1970, like `renewed`."""
    renewals: int
    renewed: float
    running: list[str]
    """Keys of the running trials."""
    released: bool
    stopping: NotRequired[bool]
    """Whether workers are asked to save their state and stop."""


_HOLDER = TypeAdapter(Holder)


class Lease:
    """Holds a results directory from `acquire` to `release`; a thread renews it in between."""

    def __init__(self, store: Store, number: int) -> None:
        self.store = store
        self.number = number
        self.lost = False
        """Whether another driver has taken over."""
        self._holder = _new_holder()
        self._released = threading.Event()
        self._changed = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    @classmethod
    def acquire(cls, store: Store, notify: Callable[[str], None] = lambda line: None) -> Lease:
        """Take the directory; raise a HarnessError that names the other driver if one holds it."""
        while True:
            number, holder = latest(store)
            if holder is not None and not _is_gone(store, holder, notify):
                raise held_error(holder, store)
            lease = cls(store, number + 1)
            store.create(_name(number + 1), checksummed_json.dumps(lease._holder))
            # The answer of `create` can get lost, and some object stores let several callers create a file.
            if lease._token() == lease._holder["token"] and latest_number(store) == number + 1:
                for name in store.names(FOLDER):
                    if name < _name(lease.number):
                        store.remove(name)
                lease._thread.start()
                return lease

    def show_running(self, keys: list[str]) -> None:
        """Record the keys of the running trials, for `harness status`."""
        self._holder["running"] = keys
        self._changed.set()

    def ask_to_stop(self) -> None:
        """Ask the workers of this driver to save their state and stop; they read its file."""
        self._holder["stopping"] = True
        self._write()

    def release(self) -> None:
        """Let another driver take the directory."""
        if not self._released.is_set():
            self._released.set()
            self._changed.set()
            if self._thread.is_alive():
                self._thread.join()
            self._holder["released"] = True
            self._write()

    def superseded(self) -> bool:
        """Return whether another driver has taken over, according to the stored files."""
        taken = self._token() not in (None, self._holder["token"])
        self.lost = self.lost or taken or latest_number(self.store) > self.number
        return self.lost

    def _token(self) -> str | None:
        """Return the token of the driver that holds this number."""
        holder = _read(self.store, self.number)
        return holder["token"] if holder is not None else None

    def _keep(self) -> None:
        # Changes are written immediately, but at most ten times per renewal interval.
        while not self.lost and not self._released.wait(0.1 * RENEWAL_SECONDS):
            self._changed.wait(0.9 * RENEWAL_SECONDS)
            self._changed.clear()
            if not self._released.is_set():  # `release` writes the file itself
                self._write()

    def _write(self) -> None:
        """Write the driver's file, unless another driver has taken over."""
        with self._writing, suppress(StorageError):  # the disk may be full or the network down for a while
            if not self.superseded():
                self._holder["renewals"] += 1
                self._holder["renewed"] = time.time()
                self.store.write(_name(self.number), checksummed_json.dumps(self._holder))


def latest(store: Store) -> tuple[int, Holder | None]:
    """Return the highest number (0 before the first driver) and its holder; None once it is released."""
    number = latest_number(store)
    holder = _read(store, number)
    return number, None if holder is None or holder["released"] else holder


def asks_to_stop(store: Store, number: int) -> bool:
    """Return whether the driver of this number has asked its workers to stop."""
    holder = _read(store, number)
    return holder is not None and holder.get("stopping", False)


def latest_number(store: Store) -> int:
    """Return the highest number that a driver has taken; 0 before the first one."""
    stems = [Path(name).stem for name in store.names(FOLDER)]
    return max((int(stem) for stem in stems if re.fullmatch(r"[0-9]{6,15}", stem)), default=0)


def held_error(holder: Holder, store: Store) -> HarnessError:
    """Return the error that names the driver which holds a directory."""
    return HarnessError(
        f"{store.target}: another driver is already running here ({describe(holder)}); "
        f"watch it with: harness status {shlex.quote(store.target)}"
    )


def describe(holder: Holder) -> str:
    """Name a driver by its process, its machine and when it started."""
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["started"]))
    return f"process {holder['pid']} on {holder['host']}, since {started}"


def alive_here(holder: Holder) -> bool | None:
    """Return whether the holder's process is alive; None if it ran on another machine."""
    recorded = holder["process_started"]
    if holder["machine"] != _machine() or recorded is None:
        return None
    started = _start_time(holder["pid"])
    return started is not None and abs(started - recorded) < 1.0


def renews(store: Store, seconds: float | None = None) -> bool:
    """Return whether the driver of the directory renews its file; takes seconds, but compares no clocks."""
    before = latest(store)
    deadline = time.monotonic() + (seconds or 1.5 * RENEWAL_SECONDS)
    while time.monotonic() < deadline:
        time.sleep(RENEWAL_SECONDS / 5)
        if (after := latest(store)) != before:
            return after[1] is not None
    return False


def _is_gone(store: Store, holder: Holder, notify: Callable[[str], None]) -> bool:
    alive = alive_here(holder)
    if alive is None:
        notify(f"{store.target}: checking whether the driver on {holder['host']} is still running ...")
        alive = renews(store, PATIENCE_SECONDS)
    return not alive


def _read(store: Store, number: int) -> Holder | None:
    """Return the content of a driver's file; None if it is missing or damaged."""
    data = store.read(_name(number))
    try:
        return None if data is None else checksummed_json.load(data, _HOLDER)
    except DamagedError:
        return None


def _name(number: int) -> str:
    return f"{FOLDER}/{number:06d}.json"


def _new_holder() -> Holder:
    """Return the content of the file of a driver in this process."""
    now = time.time()
    return {
        "token": uuid.uuid4().hex,
        "host": socket.gethostname(),
        "machine": _machine(),
        "pid": os.getpid(),
        "process_started": _start_time(os.getpid()),
        "started": now,
        "renewals": 0,
        "renewed": now,
        "running": [],
        "released": False,
        "stopping": False,
    }


def _start_time(pid: int) -> float | None:
    """Return the start time of a running process; None if it has ended, even if it is still a zombie.

    On Linux the time is in ticks since boot, because the clock may be set while the process runs.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        with suppress(OSError):
            return float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        return float(process.create_time())
    except psutil.Error:
        return None


def _machine() -> str:
    """Return an identifier of this boot and container, within which process ids are comparable."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return "/".join(parts)
