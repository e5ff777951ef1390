"""A list of dicts of arrays, one for each trajectory: Decision Transformer, hand_dapg, CS285.

Sources of the layouts: kzl/decision-transformer `gym/data/download_d4rl_datasets.py`; aravindr93/hand_dapg
`dapg/examples/process_demos.py`; berkeleydeeprlcourse `cs285/infrastructure/utils.py` (`Path`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.datasets import episode_marks
from harness.datasets.formats.columns import Columns, Source, arrays_in, joined, looks_like_steps

TITLE = "pickled list of trajectories (Decision Transformer, hand_dapg, CS285)"


def read(content: object, source: Source) -> Columns | None:
    """Read the trajectories in order.

    Trajectories without terminals, as in hand_dapg, are read as truncated at their ends.

    Raises:
        HarnessError: if a trajectory lacks a required array, or its arrays differ from those of the first.
    """
    if not isinstance(content, list | tuple) or not content:
        return None
    if not isinstance(content[0], Mapping) or not looks_like_steps(content[0]):
        return None
    episodes = []
    for number, trajectory in enumerate(content):
        if not isinstance(trajectory, Mapping):
            raise source.error(f"trajectory {number} is a {type(trajectory).__name__}, not a dict of arrays")
        episodes.append(arrays_in(trajectory, source, f"trajectory {number}: "))
    arrays = joined(episodes, source)
    if any(name in arrays for name in (*episode_marks.TERMINALS, *episode_marks.DONES)):
        return Columns(arrays)
    arrays["terminals"] = np.zeros(len(arrays["actions"]), np.bool_)
    return Columns(
        arrays,
        (f"nothing marks terminals: all {len(episodes):,} trajectories are read as truncated at their ends",),
    )
