"""Turning files of transitions of other kinds into D4RL's layout."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.layout import Steps, check_free, write
from harness.environments.factory import make, step_limit
from harness.errors import HarnessError

KEYS: Mapping[str, tuple[str, ...]] = {
    "observations": ("observations", "observation", "obs", "states", "state"),
    "actions": ("actions", "action"),
    "rewards": ("rewards", "reward"),
    "next_observations": ("next_observations", "next_observation", "next_obs", "next_states", "next_state"),
    "terminals": ("terminals", "terminal", "terminated", "terminations", "dones", "done"),
    "timeouts": ("timeouts", "timeout", "truncated", "truncations"),
}
DONE = ("dones", "done")
"""In the older gym these mark the last step of cut episodes too."""
TUPLE = "(state, action, reward, next_state, terminated, truncated, info)"


def import_file(source: Path, target: Path, environment: str) -> str:
    """Write the transitions of `source` to `target` in D4RL's layout.

    Rows that are not followed by their own successor, though no episode ends there, are marked as timeouts,
    so that no reader takes the next row for it.

    Returns:
        What was done, in words.

    Raises:
        HarnessError: naming what in `source` is not as it should be.
    """
    check_free(target, "--output")
    if not source.is_file():
        raise HarnessError(f"{source}: no such file")
    step_limit(environment)  # which knows whether there is such a task
    columns = _read_npz(source) if source.suffix == ".npz" else _read_torch(source)
    steps, gaps = _with_gaps_as_timeouts(_steps(source, columns))
    _check_sizes(source, steps, environment)
    returns = steps.episode_returns()
    attributes: dict[str, str | int | float] = {
        "environment": environment,
        "policy": f"imported from {source.name}",
        "episodes": len(returns),
    }
    if len(returns):
        attributes |= {"mean_return": float(returns.mean()), "std_return": float(returns.std())}
    write(target, steps, attributes)
    noted = f" ({gaps} rows without their successor behind them are marked as timeouts)" if gaps else ""
    return f"{target}: {len(steps)} steps, {len(returns)} episodes{noted}"


def _read_npz(source: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(source, allow_pickle=False) as archive:
            names = {
                key: next((name for name in aliases if name in archive), None)
                for key, aliases in KEYS.items()
            }
            missing = [key for key, name in names.items() if name is None and key != "timeouts"]
            if missing:
                raise HarnessError(
                    f"{source}: key {missing[0]} is missing (also looked for "
                    f"{', '.join(KEYS[missing[0]][1:])}); the file has {', '.join(archive.files)}"
                )
            columns = {key: archive[name] for key, name in names.items() if name is not None}
            if "timeouts" in columns and names["terminals"] in DONE:
                columns["terminals"] = (columns["terminals"] != 0) & (columns["timeouts"] == 0)
    except HarnessError:
        raise
    except Exception as error:  # a damaged archive raises whatever zip, zlib and numpy find
        raise HarnessError(f"{source}: is no readable npz file ({' '.join(str(error).split())})") from None
    return columns


def _read_torch(source: Path) -> dict[str, NDArray[Any]]:
    rows = _load_rows(source)
    if not isinstance(rows, list | tuple) or not rows:
        raise HarnessError(f"{source}: is no list of {TUPLE} tuples")
    for number, row in enumerate(rows):
        if not isinstance(row, list | tuple) or len(row) not in (6, 7):
            raise HarnessError(f"{source}: entry {number} is no {TUPLE} tuple")
    columns = zip(*(row[:6] for row in rows), strict=True)
    keys = ("observations", "actions", "rewards", "next_observations", "terminals", "timeouts")
    try:
        return {
            key: np.stack([_array(value) for value in column])
            for key, column in zip(keys, columns, strict=True)
        }
    except (ValueError, TypeError) as error:
        raise HarnessError(f"{source}: the entries of its tuples are of different shapes ({error})") from None


def _array(value: Any) -> NDArray[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        value = value.detach()
        value = value.double() if value.is_floating_point() else value  # numpy knows no bfloat16
    return np.asarray(value)


def _load_rows(source: Path) -> Any:
    import torch

    try:
        with torch.serialization.safe_globals(_numpy_types()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # weights_only refuses, or the file is damaged, in many ways
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        raise HarnessError(
            f"{source}: cannot be read as plain tensors, numbers and numpy arrays "
            f"({f'it holds {foreign[1]}' if foreign else 'damaged, or saved otherwise'}); save its list with "
            "torch.save, or its arrays with numpy.savez"
        ) from None


def _numpy_types() -> list[Any]:
    """What a pickled numpy array or number is made of, under the names of numpy 1 and of numpy 2."""
    here = "core" if np.__version__.startswith("1.") else "_core"
    multiarray = import_module(f"numpy.{here}.multiarray")
    dtypes = {
        type(np.dtype(code))
        for code in ("?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d", "e")
    }
    functions = [multiarray._reconstruct, multiarray.scalar]
    named = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in functions
        for core in ("core", "_core")
    ]
    return [np.ndarray, np.dtype, *dtypes, *named]


def _steps(source: Path, columns: Mapping[str, NDArray[Any]]) -> Steps:
    count = len(columns["observations"]) if columns["observations"].ndim else 0
    if columns["observations"].ndim and count < 2:
        raise HarnessError(f"{source}: has {count} steps; a dataset needs two at least")
    arrays: dict[str, NDArray[Any]] = {}
    for key, values in columns.items():
        if values.dtype.kind not in "fiub":
            raise HarnessError(f"{source}: {key} holds {values.dtype}, not numbers")
        if not values.ndim:
            raise HarnessError(f"{source}: {key} is a single number, not one for each step")
        if len(values) != count:
            raise HarnessError(
                f"{source}: {key} has {len(values)} rows, observations {count}; they must be equal"
            )
        flat = key in ("rewards", "terminals", "timeouts")
        shaped = values.reshape(count) if flat and values.size == count else values
        if not flat:
            shaped = values.reshape(count, prod(values.shape[1:]))
        if shaped.ndim != (1 if flat else 2) or not shaped.size:
            raise HarnessError(
                f"{source}: {key} has shape {values.shape}, not ({'steps' if flat else 'steps, size'})"
            )
        with np.errstate(over="ignore"):
            numbers = shaped.astype(np.float32)
        if not np.isfinite(numbers).all():
            raise HarnessError(
                f"{source}: {key} has NaN or infinite values, or too large ones; mend the file"
            )
        arrays[key] = shaped != 0 if key in ("terminals", "timeouts") else numbers
    arrays.setdefault("timeouts", np.zeros(count, np.bool_))
    if arrays["observations"].shape != arrays["next_observations"].shape:
        raise HarnessError(f"{source}: next_observations and observations have different shapes")
    arrays["timeouts"] &= ~arrays["terminals"]
    return Steps(**arrays)


def _check_sizes(source: Path, steps: Steps, environment: str) -> None:
    with closing(make(environment)) as task:
        for what, values, space in (
            ("observations", steps.observations, task.observation_space),
            ("actions", steps.actions, task.action_space),
        ):
            size = prod(space.shape or ())
            if values.shape[1] != size:
                raise HarnessError(
                    f"{source}: {what} have size {values.shape[1]}, those of {environment} {size}; "
                    "name the task of the data with --environment"
                )


def _with_gaps_as_timeouts(steps: Steps) -> tuple[Steps, int]:
    assert steps.next_observations is not None
    followed = np.isclose(steps.next_observations[:-1], steps.observations[1:], rtol=1e-5, atol=1e-6).all(
        axis=1
    )
    gaps = ~followed & ~(steps.terminals | steps.timeouts)[:-1]
    timeouts = steps.timeouts.copy()
    timeouts[:-1] |= gaps
    timeouts[-1] = not steps.terminals[-1]
    # Readers want the very numbers of the row behind, not others rounded from the same.
    next_observations = steps.next_observations.copy()
    next_observations[:-1][followed] = steps.observations[1:][followed]
    return replace(steps, next_observations=next_observations, timeouts=timeouts), int(gaps.sum())
