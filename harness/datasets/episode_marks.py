"""Reads the arrays that mark ends of episodes under any of their names and forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError

Flags: TypeAlias = NDArray[np.bool_]

TERMINALS = ("terminals", "terminal", "terminated", "terminateds", "terminations", "is_terminal")
DONES = ("dones", "done")
"""They include time limits in the older gym. Next to terminals, they mark the end of every episode."""
TIMEOUTS = ("timeouts", "timeout", "truncated", "truncateds", "truncations", "truncation")
ENDS = ("episode_terminals", "episode_ends", "episode_end", "is_last")
"""They mark the end of every episode, as flags or as row numbers (of the last row or the row after it)."""
NAMES = (*TERMINALS, *DONES, *TIMEOUTS, *ENDS)


@dataclass(frozen=True)
class EpisodeMarks:
    """The marks of a dataset with N rows, before interpretation."""

    terminals: Flags
    """[N]"""
    timeouts: Flags
    """[N]"""
    ends: Flags
    """[N] Every marked end of an episode: terminals, timeouts, and marks under other names."""
    terminals_name: str
    cuts_name: str | None
    """The name of the array that marks ends other than terminals; None if there is none."""


def read_marks(arrays: Mapping[str, NDArray[Any]], count: int, source: object) -> EpisodeMarks:
    """Read the marks of `count` rows from the arrays that are in `NAMES`.

    Raises:
        HarnessError: when no array marks terminals, or when one has other values or another number of rows.
    """
    name = next((name for name in (*TERMINALS, *DONES) if name in arrays), None)
    if name is None:
        raise HarnessError(
            f"{source}: no array marks terminals (looked for {', '.join((*TERMINALS, *DONES))}); "
            f"the arrays are {', '.join(sorted(arrays)) or 'none'}"
        )
    cuts = [other for other in (*TIMEOUTS, *ENDS, *DONES) if other in arrays and other != name]
    terminals = read_flags(name, arrays[name], count, source)
    timeouts, ends = np.zeros(count, np.bool_), terminals.copy()
    for other in cuts:
        flags = read_flags(other, arrays[other], count, source)
        ends |= flags
        if other in TIMEOUTS:
            timeouts |= flags
    return EpisodeMarks(terminals, timeouts, ends, name, cuts[0] if cuts else None)


def read_flags(name: str, values: NDArray[Any], count: int, source: object) -> Flags:
    """Return the marks [count] of one array: zeros and ones [count] or [count, 1], or row numbers in `ENDS`.

    Raises:
        HarnessError: when the array has other values, or does not fit the number of rows.
    """
    if values.shape in ((count,), (count, 1)) and np.isin(values, (0, 1)).all():
        flags: Flags = values.reshape(count) == 1
        return flags
    if name in ENDS and values.ndim == 1 and values.dtype.kind in "iu" and len(values):
        last = values.astype(np.int64) - (values[-1] == count)
        if last[0] >= 0 and last[-1] == count - 1 and (np.diff(last) > 0).all():
            flags = np.zeros(count, np.bool_)
            flags[last] = True
            return flags
    rows = ", or the increasing row numbers of all ends" if name in ENDS else ""
    raise HarnessError(
        f"{source}: {name} has shape {values.shape} and values from {values.min(initial=0):g} to "
        f"{values.max(initial=0):g}; store 0 or 1 for each of the {count:,} steps{rows}"
    )
