"""Loads the arrays of datasets: one copy per machine, in files that all processes map into their memory."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from harness.datasets.dataset import OfflineDataset
from harness.datasets.files import cache_directory, one_at_a_time
from harness.datasets.recording import Recording
from harness.datasets.settings import DataSettings
from harness.datasets.transitions import Selection, build_next_actions, build_transitions, select
from harness.errors import warn
from harness.writing import NotWrittenError, write_text, written_whole

FORMAT = 3
"""To be increased whenever the same source and settings give different arrays."""


@dataclass(frozen=True)
class Facts:
    """The metadata of an array of transitions."""

    observation_size: int
    action_size: int
    notes: tuple[str, ...]
    """One line for everything that was dropped, changed or interpreted."""


@dataclass(frozen=True)
class CachedArray:
    """A read-only float32 array, its metadata, and its SHA-256."""

    values: NDArray[np.float32]
    facts: Facts
    digest: str


Build: TypeAlias = Callable[[], tuple[NDArray[np.float32], Facts]]


def load_transitions(
    name: str,
    key: dict[str, JsonValue],
    record: Callable[[], Recording],
    data: DataSettings,
    next_actions: bool,
) -> OfflineDataset:
    """Load a dataset, without an environment and reference scores; `record` reads it if it is not cached.

    The key must contain everything that the steps depend on.
    """
    key = key | {"data": data.model_dump(mode="json")}

    @cache
    def selected() -> tuple[Recording, Selection]:
        recording = record()
        return recording, select(recording, data)

    def build() -> tuple[NDArray[np.float32], Facts]:
        recording, chosen = selected()
        sizes = recording.observations.shape[1], recording.actions.shape[1]
        return build_transitions(recording, chosen, data.rewards), Facts(*sizes, chosen.notes)

    transitions = load_or_build(key, build)
    actions = None
    if next_actions:
        actions = load_or_build(
            key | {"array": "next_actions"}, lambda: (build_next_actions(*selected()), transitions.facts)
        )
    return as_dataset(name, transitions, actions)


def as_dataset(name: str, transitions: CachedArray, next_actions: CachedArray | None) -> OfflineDataset:
    """Return the dataset of cached arrays, without an environment and reference scores."""
    facts = transitions.facts
    return OfflineDataset(
        name=name,
        transitions=transitions.values,
        observation_size=facts.observation_size,
        action_size=facts.action_size,
        environment=None,
        reference=None,
        digest=transitions.digest,
        next_actions=None if next_actions is None else next_actions.values,
        notes=facts.notes,
    )


def load_or_build(key: JsonValue, build: Build) -> CachedArray:
    """Map an array from the cache, after building it if it is not there.

    The key must contain everything that the array depends on. If the cache cannot be written, the array stays
    in this process's own memory, with a warning.
    """
    canonical = json.dumps([FORMAT, key], sort_keys=True)
    path = cache_directory() / "transitions" / f"{hashlib.sha256(canonical.encode()).hexdigest()[:32]}.npy"
    found = _mapped(path)
    if found is not None:
        return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(path.with_suffix(".lock"), seconds=600):
            found = _mapped(path)
            if found is None:
                found = _in_memory(build)
                _fill(path, found)
                found = _mapped(path) or found
    except (OSError, NotWrittenError) as error:
        warn(
            f"{error}; each process keeps its own copy of the dataset "
            "(set HARNESS_CACHE_DIR to another directory)"
        )
    return found or _in_memory(build)


def _mapped(path: Path) -> CachedArray | None:
    """Return the array, or None if it is missing or incomplete."""
    try:
        about = json.loads(path.with_suffix(".json").read_text())
        values = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        facts = Facts(**about["facts"] | {"notes": tuple(about["facts"]["notes"])})
        same_content = zlib.crc32(values.data) == about["crc32"]
        whole = same_content and values.dtype == np.float32 and list(values.shape) == about["shape"]
        return CachedArray(values, facts, about["digest"]) if whole else None
    except Exception:  # numpy raises various exceptions for damaged headers
        return None


def _fill(path: Path, found: CachedArray) -> None:
    """Write the metadata before the array, so that no array is without it."""
    about = {
        "digest": found.digest,
        "crc32": zlib.crc32(found.values.data),
        "shape": found.values.shape,
        "facts": asdict(found.facts),
    }
    with written_whole(path) as scratch:
        with scratch.open("wb") as file:
            np.save(file, found.values, allow_pickle=False)
        write_text(path.with_suffix(".json"), json.dumps(about))


def _in_memory(build: Build) -> CachedArray:
    values, facts = build()
    values.setflags(write=False)
    return CachedArray(values, facts, hashlib.sha256(values.data).hexdigest())
