"""The imitation library's npz: all trajectories one after the other, and the `indices` at which they split.

Source of the layout: HumanCompatibleAI/imitation `src/imitation/data/serialize.py` (`load`) and `types.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.datasets.formats.columns import END, Columns, Source, as_array, joined

TITLE = "imitation .npz"


def matches(content: object) -> bool:
    """Return whether the content has the arrays that imitation writes."""
    return isinstance(content, Mapping) and {"obs", "acts", "terminal", "indices"} <= set(content)


def read(content: object, source: Source) -> Columns:
    """Read the trajectories, each with one observation more than it has actions.

    `terminal` states that a trajectory is not a fragment; it includes time limits, as `dones` do.

    Raises:
        HarnessError: if there are no rewards, or the arrays do not fit each other.
    """
    assert isinstance(content, Mapping)
    if "rews" not in content:
        raise source.error("has no rews (demonstrations without rewards); offline RL needs rewards")
    arrays = {name: as_array(content[name], name, source) for name in ("obs", "acts", "rews", "indices")}
    complete = as_array(content["terminal"], "terminal", source) != 0
    starts = arrays["indices"].astype(np.int64)
    if len(complete) != len(starts) + 1 or len(arrays["obs"]) != len(arrays["acts"]) + len(complete):
        raise source.error(
            f"{len(arrays['obs'])} obs, {len(arrays['acts'])} acts, {len(complete)} terminal and "
            f"{len(starts)} indices do not fit each other"
        )
    split = {
        "observations": np.split(arrays["obs"], starts + np.arange(len(starts)) + 1),
        "actions": np.split(arrays["acts"], starts),
        "rewards": np.split(arrays["rews"], starts),
    }
    episodes = []
    for number, done in enumerate(complete):
        episode = {name: parts[number] for name, parts in split.items()}
        count = len(episode["actions"])
        episodes.append(episode | {"dones": (np.arange(count) == count - 1) & done})
    joint = joined(episodes, source)
    if complete.all():  # as `dones`, so that the step limit tells which are terminals
        del joint[END]
    return Columns(joint)
