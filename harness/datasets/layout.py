"""D4RL's layout of files with transitions: shapes of its arrays, and writing such files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_marks import NAMES, Flags, read_marks
from harness.datasets.recording import Recording
from harness.errors import HarnessError
from harness.writing import write_bytes

REQUIRED = ("observations", "actions", "rewards")
VECTORS = ("observations", "actions", "next_observations")
FINAL = "final_observations"
"""[E, S] The observations after each row in which an episode ends, and after the last row. A file with this
array needs no `next_observations`: within an episode they are the observations of the next row."""
ROWS_PER_CHUNK = 50_000


def checked(arrays: Mapping[str, NDArray[Any]], source: object) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file, whose shapes `check_shapes` accepts, with the types of a `Recording`.

    Vectors are float32 [N, size] and rewards float32 [N]; marks of ends are unchanged. If the file has
    `FINAL`, next observations are built from it.

    Raises:
        HarnessError: for values that are not finite numbers, or for `FINAL` that does not fit the episodes.
    """
    numbers = {name: as_float32(name, array, source) for name, array in arrays.items()}
    found = {name: array if name in NAMES else numbers[name] for name, array in arrays.items()}
    final = found.pop(FINAL, None)
    if final is not None and "next_observations" not in found:
        observations = found["observations"]
        ends = read_marks(found, len(observations), source).ends
        found["next_observations"] = next_observations(observations, final, ends, source)
    return found | {"rewards": found["rewards"].reshape(-1)}


def next_observations(
    observations: NDArray[np.float32], final: NDArray[np.float32], ends: Flags, source: object
) -> NDArray[np.float32]:
    """Return the next observations [N, S] from the observations [N, S] and `FINAL`.

    Args:
        final: the observations after the rows of `_last_rows`, in their order.
        ends: [N] where an episode ends.

    Raises:
        HarnessError: if their number or size does not match.
    """
    rows = _last_rows(ends)
    if final.shape != (len(rows), observations.shape[1]):
        raise HarnessError(
            f"{source}: {FINAL} has shape {final.shape}, but {len(rows)} rows end an episode or the file"
        )
    following = np.roll(observations, -1, axis=0)
    following[rows] = final
    return following


def check_shapes(shapes: Mapping[str, tuple[int, ...]], source: object) -> None:
    """Check the shapes, by name, of observations, actions, rewards and, if they exist, next observations."""
    count = shapes["observations"][0] if shapes["observations"] else 0
    for name in (*VECTORS, "rewards"):
        shape = shapes.get(name, shapes["observations"])
        if name in VECTORS and (len(shape) != 2 or shape[1] == 0):
            raise HarnessError(f"{source}: {name} has shape {shape}, not (steps, size)")
        if name == "rewards" and (not shape or shape[1:] not in ((), (1,))):
            raise HarnessError(f"{source}: {name} has shape {shape}, not (steps,)")
        if shape[0] != count:
            raise HarnessError(
                f"{source}: {name} has {shape[0]} rows, observations {count}; they must be equal"
            )
    if shapes.get("next_observations", shapes["observations"]) != shapes["observations"]:
        raise HarnessError(
            f"{source}: next_observations has shape {shapes['next_observations']}, observations "
            f"{shapes['observations']}; they must be equal"
        )
    if count < 2:
        raise HarnessError(f"{source}: has {count} step{'s' * (count != 1)}; a dataset needs at least two")


def as_float32(name: str, array: NDArray[Any], source: object) -> NDArray[np.float32]:
    """Return an array as float32; its values must be numbers, and finite in float32."""
    if array.dtype.kind not in "fiub":
        raise HarnessError(f"{source}: {name} has type {array.dtype}, not numbers")
    with np.errstate(over="ignore"):
        numbers: NDArray[np.float32] = array.astype(np.float32, copy=False)
    finite = np.isfinite(numbers)
    if not finite.all():
        row = int(np.argwhere(~np.atleast_1d(finite))[0][0])
        raise HarnessError(f"{source}: {name} has NaN or infinite values, the first in row {row}")
    return numbers


def _last_rows(ends: Flags) -> NDArray[np.intp]:
    return np.union1d(np.flatnonzero(ends), len(ends) - 1)


def _arrays(recording: Recording) -> dict[str, NDArray[Any]]:
    """Return the arrays to store in a file, without storing any observation twice."""
    terminals, timeouts = recording.ends.terminals, recording.ends.timeouts
    arrays: dict[str, NDArray[Any]] = {
        "observations": recording.observations,
        "actions": recording.actions,
        "rewards": recording.rewards,
        "terminals": terminals,
        "timeouts": timeouts,
    }
    following = recording.next_observations
    if following is not None:
        final = following[_last_rows(terminals | timeouts)]
        rebuilt = next_observations(recording.observations, final, terminals | timeouts, recording.source)
        as_final = rebuilt.tobytes() == following.tobytes()
        arrays |= {FINAL: final} if as_final else {"next_observations": following}
    return arrays


def check_free(path: Path, options: str) -> None:
    """Check that no file would be overwritten, because it may have taken hours to create."""
    if path.exists():
        raise HarnessError(f"{path}: already exists; move it away, or name another with {options}")


def write(path: Path, recording: Recording, attributes: Mapping[str, str | int | float]) -> None:
    """Write a file that `d4rl.qlearning_dataset` and this package read; it appears whole or not at all.

    Args:
        attributes: provenance of the data, stored as attributes of the file's root.

    Raises:
        HarnessError: if the disk is full, or the directory cannot be written.
    """
    # In memory first: HDF5 crashes on a full disk.
    with h5py.File(path, "w", driver="core", backing_store=False) as file:
        for key, array in _arrays(recording).items():
            chunks = (min(len(array), ROWS_PER_CHUNK), *(1 for _ in array.shape[1:]))
            file.create_dataset(
                key, data=array, chunks=chunks, compression="gzip", compression_opts=9, shuffle=True
            )
        file.attrs.update(attributes)
        file.flush()
        image = file.id.get_file_image()
    write_bytes(path, image)
