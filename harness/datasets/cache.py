"""One copy of a dataset's transitions per machine: a file that all processes map into their memory."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from harness.datasets.files import cache_directory
from harness.datasets.layout import NotWrittenError, written_whole

FORMAT = 1  # to be raised whenever the same source and settings give other transitions
LOCK_SECONDS = 600


@dataclass(frozen=True)
class Source:
    """Transitions still to be read: how many, of what sizes, and a part at a time."""

    rows: int
    observation_size: int
    action_size: int
    parts: Iterable[NDArray[np.float32]]
    """Each [n, 2 S + A + 2]; `rows` in all."""

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, 2 * self.observation_size + self.action_size + 2


@dataclass(frozen=True)
class Packed:
    """Transitions [N, 2 S + A + 2], read-only, and their SHA-256."""

    transitions: NDArray[np.float32]
    observation_size: int
    action_size: int
    digest: str


def packed(key: Any, open_source: Callable[[], AbstractContextManager[Source]]) -> Packed:
    """The transitions of a source, mapped from the cache, which is filled first where it lacks them.

    Where the cache cannot be written they are read into this process's own memory, with a warning.

    Args:
        key: all that the transitions depend on, as JSON can write it.
    """
    canonical = json.dumps([FORMAT, key], sort_keys=True)
    path = cache_directory() / "transitions" / f"{hashlib.sha256(canonical.encode()).hexdigest()[:32]}.npy"
    found = _mapped(path)
    if found is not None:
        return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(path.with_suffix(".lock")):
            found = _mapped(path)
            if found is None:
                _fill(path, open_source)
                found = _mapped(path)
    except (OSError, NotWrittenError) as error:
        warnings.warn(
            f"{error}; each process keeps its own copy of the dataset "
            "(HARNESS_CACHE_DIR names another place)",
            stacklevel=2,
        )
    return found or _in_memory(open_source)


def _mapped(path: Path) -> Packed | None:
    """None where there is nothing, or nothing whole."""
    try:
        about = json.loads(path.with_suffix(".json").read_text())
        transitions = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        found = Packed(
            transitions, int(about["observation_size"]), int(about["action_size"]), about["digest"]
        )
    except (OSError, ValueError, TypeError, KeyError, EOFError):
        return None
    width = 2 * found.observation_size + found.action_size + 2
    fits = transitions.dtype == np.float32 and transitions.shape == (about["rows"], width)
    return found if fits else None


def _fill(path: Path, open_source: Callable[[], AbstractContextManager[Source]]) -> None:
    """The description takes its place before the transitions do, so that these are never without it."""
    with open_source() as source, written_whole(path) as scratch:
        digest = hashlib.sha256()
        with scratch.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": source.shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in source.parts:
                digest.update(part.data)
                file.write(part.data)
        about = {
            "digest": digest.hexdigest(),
            "rows": source.rows,
            "observation_size": source.observation_size,
            "action_size": source.action_size,
        }
        with written_whole(path.with_suffix(".json")) as description:
            description.write_text(json.dumps(about))


def _in_memory(open_source: Callable[[], AbstractContextManager[Source]]) -> Packed:
    with open_source() as source:
        transitions = np.empty(source.shape, np.float32)
        row = 0
        for part in source.parts:
            transitions[row : row + len(part)] = part
            row += len(part)
    transitions.setflags(write=False)
    digest = hashlib.sha256(transitions.data).hexdigest()
    return Packed(transitions, source.observation_size, source.action_size, digest)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """One process fills while the others wait; where locks do not work, each fills and the last one stays."""
    lock = FileLock(path)
    with suppress(Timeout, NotImplementedError):
        lock.acquire(timeout=LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()
