"""Replay buffers of stable-baselines3, as `model.save_replay_buffer` pickles them, without its classes.

Source of the layout: DLR-RM/stable-baselines3 `stable_baselines3/common/buffers.py`. Arrays are [size,
environments, ...], a ring that `pos` points into once it is `full`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.formats.columns import Columns, Source, as_array, entries_note, joined
from harness.datasets.formats.unpickling import Opaque

TITLE = "stable-baselines3 replay buffer"
FIELDS = ("observations", "actions", "rewards", "dones")


def read(content: object, source: Source) -> Columns | None:
    """Read the steps of each environment, in chronological order.

    Raises:
        HarnessError: if the object is not a replay buffer, or an empty one.
    """
    if not isinstance(content, Opaque) or not content.origin.startswith("stable_baselines3."):
        return None
    state = content.state if isinstance(content.state, Mapping) else {}
    missing = next((name for name in FIELDS if name not in state), None)
    if missing is not None:
        raise source.error(
            f"contains a {content.origin} without {missing}, not a replay buffer; save one with "
            "model.save_replay_buffer(FILE)"
        )
    size, position, full = len(state["actions"]), int(state["pos"]), bool(state["full"])
    rows = (np.arange(size) + position) % size if full else np.arange(position)
    names = [*FIELDS, "timeouts", "next_observations"]
    if state.get("optimize_memory_usage"):
        names.remove("next_observations")  # next observations are the next row's observations
        rows = rows[1:] if full else rows  # overwritten by the newest next observation
    names = [name for name in names if state.get(name) is not None]
    environments = []
    for number in range(state["rewards"].shape[1]):
        arrays = {name: as_array(_part(state[name], rows, number), name, source) for name in names}
        if state.get("handle_timeout_termination"):
            arrays["terminals"] = (arrays.pop("dones") != 0) & (arrays["timeouts"] == 0)
        else:
            arrays.pop("timeouts", None)  # never written
        environments.append(arrays)
    notes = []
    if isinstance(state["observations"], Mapping):
        notes.append(entries_note(_part(state["observations"], rows, 0), source))
    if full and not state.get("handle_timeout_termination"):
        notes.append(
            "the buffer does not mark time limits among dones, and its oldest episode has lost its start; "
            "whether that episode ended at a time limit is unknown, and its end is read as terminal"
        )
    return Columns(joined(environments, source), tuple(notes))


def _part(value: Any, rows: NDArray[np.intp], environment: int) -> Any:
    if isinstance(value, Mapping):
        return {key: item[rows, environment] for key, item in value.items()}
    return value[rows, environment]
