"""The files of a trial that grow while it runs: its log, and its curves for TensorBoard."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

from harness.columns import EVALUATION
from harness.storage.stores import StorageError, operation
from harness.storage.trial_record import LOG, TrialRecord
from harness.tuning.last_output import last_output

EVENTS = "events.out.tfevents.0.trial"
TAGS = {"return_mean": "return", "normalized_score": "normalized_score", "q1": "Q1", "q2": "Q2"}
"""Names in TensorBoard of columns and metrics of an evaluation, where they differ."""


class TrialFiles:
    """Writes a trial's files in place or, for an object store, to a temporary folder until `publish`.

    If the disk is full, lines are lost, but the trial continues. With `capture`, the output of the process
    is redirected to the log.

    Raises:
        StorageError: if the files cannot be written.
    """

    def __init__(self, record: TrialRecord, capture: bool = False) -> None:
        self._record = record
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._events: RecordWriter | None = None
        self._log_path = self._local_path(LOG)
        with operation(record.store, "write", record.name(LOG)):
            self._log = os.open(self._log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._captured: list[tuple[int, int]] = []
        for stream in (1, 2) if capture else ():
            self._captured.append((stream, os.dup(stream)))
            os.dup2(self._log, stream)

    def say(self, line: str) -> None:
        """Append a line with the time to the log."""
        stamp = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        with suppress(OSError):
            os.write(self._log, f"{stamp} {line}\n".encode())

    def last_output(self) -> str | None:
        """Return the last output of an earlier attempt whose process died, if any."""
        with suppress(OSError):
            return last_output(self._log_path.read_bytes())
        return None

    def fileno(self) -> int:
        """Return the descriptor of the log, for `faulthandler`."""
        return self._log

    def begin_curves(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rewrite the event file from all evaluations so far, so that no point occurs twice."""
        path = self._local_path(EVENTS)
        with suppress(OSError):
            path.unlink(missing_ok=True)
            self._events = RecordWriter(str(path))
            self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        for row in rows:
            self.add_to_curves(row)

    def add_to_curves(self, row: Mapping[str, Any]) -> None:
        """Add an evaluation: its return, its score, and every metric of the learner.

        It is written in the calling thread, because in another thread a full disk would go unnoticed.
        """
        numbers = {
            name: value
            for name, value in row.items()
            if value is not None and (name not in EVALUATION or name in TAGS)
        }
        values = [
            Summary.Value(tag=TAGS.get(name, name), simple_value=float(value))
            for name, value in numbers.items()
        ]
        with suppress(OSError):
            self._write(Event(wall_time=time.time(), step=row["step"], summary=Summary(value=values)))

    def publish(self) -> None:
        """Copy the files to the object store, unless they are in place already."""
        for path in sorted(Path(self._temporary.name).iterdir()) if self._temporary else ():
            with suppress(StorageError):
                self._record.store.write(self._record.name(path.name), path.read_bytes())

    def close(self) -> None:
        """Close the files, and restore the output of the process."""
        if self._events is not None:
            with suppress(OSError):
                self._events.close()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        for stream, original in self._captured:
            os.dup2(original, stream)
            os.close(original)
        os.close(self._log)
        if self._temporary:
            self._temporary.cleanup()

    def _write(self, event: Event) -> None:
        if self._events is not None:
            self._events.write(event.SerializeToString())
            self._events.flush()

    def _local_path(self, file: str) -> Path:
        """Return the local path of a file; from an object store it is downloaded first."""
        store, name = self._record.store, self._record.name(file)
        in_place = store.path(name)
        if in_place is not None:
            return in_place
        try:
            self._temporary = self._temporary or tempfile.TemporaryDirectory(prefix="harness-")
            path = Path(self._temporary.name) / file
            path.write_bytes(store.read(name) or b"")
        except OSError as error:
            where = tempfile.gettempdir()
            raise StorageError(f"{where}: cannot store {name} ({error.strerror or error})") from None
        return path
