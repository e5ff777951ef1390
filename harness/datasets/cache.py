"""One copy of a dataset's transitions per machine: a file that all processes map into their memory."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from harness.datasets.files import cache_directory, one_at_a_time
from harness.errors import HarnessWarning
from harness.writing import NotWrittenError, write_text, written_whole

FORMAT = 1  # to be raised whenever the same source and settings give other transitions
LOCK_SECONDS = 600


@dataclass(frozen=True)
class Packed:
    """Transitions [N, 2 S + A + 2], read-only, and their SHA-256."""

    transitions: NDArray[np.float32]
    observation_size: int
    action_size: int
    digest: str


Read: TypeAlias = Callable[[], tuple[NDArray[np.float32], int, int]]
"""Reads transitions from where they come from; with their observation size and action size."""


def packed(key: Any, read: Read) -> Packed:
    """Transitions mapped from the cache, which is filled first where it lacks them.

    Where it cannot be written they stay in this process's own memory, with a warning.

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
        with one_at_a_time(path.with_suffix(".lock"), LOCK_SECONDS):
            found = _mapped(path)
            if found is None:
                found = _in_memory(read)
                _fill(path, found)
                found = _mapped(path) or found
    except (OSError, NotWrittenError) as error:
        warnings.warn(
            f"{error}; each process keeps its own copy of the dataset "
            "(HARNESS_CACHE_DIR names another place)",
            HarnessWarning,
            stacklevel=2,
        )
    return found or _in_memory(read)


def _mapped(path: Path) -> Packed | None:
    """None where there is nothing, or nothing whole."""
    try:
        about = json.loads(path.with_suffix(".json").read_text())
        transitions = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        found = Packed(
            transitions, int(about["observation_size"]), int(about["action_size"]), about["digest"]
        )
    except Exception:  # numpy raises whatever a damaged header comes to
        return None
    width = 2 * found.observation_size + found.action_size + 2
    fits = transitions.dtype == np.float32 and transitions.shape == (about.get("rows"), width)
    return found if fits and isal_zlib.crc32(transitions.data) == about.get("crc32") else None


def _fill(path: Path, found: Packed) -> None:
    """The description takes its place before the transitions do, so that these are never without it."""
    about = {
        "digest": found.digest,
        "crc32": isal_zlib.crc32(found.transitions.data),
        "rows": len(found.transitions),
        "observation_size": found.observation_size,
        "action_size": found.action_size,
    }
    with written_whole(path) as scratch:
        with scratch.open("wb") as file:
            np.save(file, found.transitions, allow_pickle=False)
        write_text(path.with_suffix(".json"), json.dumps(about))


def _in_memory(read: Read) -> Packed:
    transitions, observation_size, action_size = read()
    transitions.setflags(write=False)
    digest = hashlib.sha256(transitions.data).hexdigest()
    return Packed(transitions, observation_size, action_size, digest)
