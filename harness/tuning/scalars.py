"""A trial's curves for TensorBoard: one event file, made from all rows, so that nothing is there twice."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

TAGS = {
    "return_mean": "return",
    "normalized_score": "normalized_score",
    "q1": "Q1",
    "q2": "Q2",
    "lambda": "lambda",
    "critic_loss": "critic_loss",
    "actor_loss": "actor_loss",
}


class ScalarFile:
    """Written in the calling thread, so that a full disk is an OSError here and not a thread that died."""

    def __init__(self, path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
        path.unlink(missing_ok=True)
        self.path = path
        self._writer = RecordWriter(str(path))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        for row in rows:
            self.add(row)

    def add(self, row: Mapping[str, Any]) -> None:
        values = [
            Summary.Value(tag=TAGS.get(name, name), simple_value=value)
            for name, value in row.items()
            if isinstance(value, float) and math.isfinite(value) and not name.endswith(("_seconds", "_std"))
        ]
        self._write(Event(wall_time=time.time(), step=row["step"], summary=Summary(value=values)))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()

    def _write(self, event: Event) -> None:
        self._writer.write(event.SerializeToString())
