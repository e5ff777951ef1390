"""A list of dicts of arrays, one for each trajectory: Decision Transformer, hand_dapg, CS285.

Sources of the layouts: kzl/decision-transformer `gym/data/download_d4rl_datasets.py`; aravindr93/hand_dapg
`dapg/examples/process_demos.py`; berkeleydeeprlcourse `cs285/infrastructure/utils.py` (`Path`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.datasets import episode_marks
from harness.datasets.formats.columns import Columns, Source, as_array, joined, names_in, require
from harness.datasets.layout import REQUIRED

TITLE = "pickled list of trajectories (Decision Transformer, hand_dapg, CS285)"


def matches(content: object) -> bool:
    """Return whether the content is a list of dicts, the first of which has two of the required arrays."""
    return (
        isinstance(content, list | tuple)
        and len(content) > 0
        and isinstance(content[0], Mapping)
        and sum(column in REQUIRED for column in names_in(content[0])) >= 2
    )


def read(content: object, source: Source) -> Columns:
    """Read the trajectories in order.

    Trajectories without terminals, as in hand_dapg, are read as truncated at their ends.

    Raises:
        HarnessError: if a trajectory lacks a required array, or its arrays differ from those of the first.
    """
    assert isinstance(content, list | tuple)
    episodes = []
    for number, trajectory in enumerate(content):
        if not isinstance(trajectory, Mapping):
            raise source.error(f"trajectory {number} is a {type(trajectory).__name__}, not a dict of arrays")
        names = names_in(trajectory)
        require(names, trajectory, source, f"trajectory {number}: ")
        episodes.append({column: as_array(trajectory[name], name, source) for column, name in names.items()})
    arrays = joined(episodes, source)
    if any(name in arrays for name in (*episode_marks.TERMINALS, *episode_marks.DONES)):
        return Columns(arrays)
    arrays["terminals"] = np.zeros(len(arrays["actions"]), np.bool_)
    return Columns(
        arrays,
        (f"nothing marks terminals: all {len(episodes):,} trajectories are read as truncated at their ends",),
    )
