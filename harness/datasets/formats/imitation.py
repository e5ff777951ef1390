"""The imitation library's npz: all trajectories one after the other, and the `indices` at which they split.

Source of the layout: HumanCompatibleAI/imitation `src/imitation/data/serialize.py` (`load`) and `types.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.datasets.formats.columns import END, Columns, Source, as_array

TITLE = "imitation .npz"


def read(content: object, source: Source) -> Columns | None:
    """Read the trajectories, each with one observation more than it has actions.

    `terminal` states that a trajectory is not a fragment; it includes time limits, as `dones` do.

    Raises:
        HarnessError: if there are no rewards, or the arrays do not fit each other.
    """
    if not isinstance(content, Mapping) or not {"obs", "acts", "terminal", "indices"} <= set(content):
        return None
    if "rews" not in content:
        raise source.error("has no rews (demonstrations without rewards); offline RL needs rewards")
    obs, acts, rews, indices = (
        as_array(content[name], name, source) for name in ("obs", "acts", "rews", "indices")
    )
    complete = as_array(content["terminal"], "terminal", source) != 0
    ends = np.append(indices.astype(np.int64), len(acts))
    lengths = np.diff(ends, prepend=0)
    if len(complete) != len(lengths) or len(obs) != len(acts) + len(complete) or lengths.min() < 1:
        raise source.error(
            f"{len(obs)} obs, {len(acts)} acts, {len(complete)} terminal and {len(indices)} indices do not "
            "fit each other"
        )
    trajectory = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.arange(len(acts)) + trajectory
    last = np.zeros(len(acts), np.bool_)
    last[ends - 1] = True
    arrays = {
        "observations": obs[rows],
        "actions": acts,
        "rewards": rews,
        "next_observations": obs[rows + 1],
        "dones": last & complete[trajectory],
        END: last,
    }
    return Columns(arrays)
