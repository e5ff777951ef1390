"""d3rlpy's replay buffers since version 2: HDF5 with arrays `observations_0`, `actions_0`, ... by episode.

Source of the layout: takuseno/d3rlpy `d3rlpy/dataset/io.py` (`dump`) and `components.py` (`serialize`).
Files of d3rlpy 1 contain plain arrays with `episode_terminals`, which `flat` reads.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.datasets.formats.columns import Columns, Source, as_array, joined

TITLE = "d3rlpy .h5"


def read(content: object, source: Source) -> Columns | None:
    """Read the episodes of content that has the arrays that d3rlpy 2 writes.

    An episode that is not `terminated` was truncated; the observation after its last step is not stored.

    Raises:
        HarnessError: if an episode lacks an array, or has several for one observation.
    """
    if not isinstance(content, Mapping) or not {"columns", "num_episodes", "version"} <= set(content):
        return None
    episodes = []
    for number in range(int(content["num_episodes"][()])):
        episode = {}
        for column in ("observations", "actions", "rewards"):
            name = f"{column}_{number}"
            if name not in content:
                several = "has several arrays for one observation" if f"{name}_0" in content else "is missing"
                raise source.error(f"{name} {several}; episodes of one array each for {column} are read")
            episode[column] = as_array(content[name], name, source)
        terminals = np.zeros(len(episode["actions"]), np.bool_)
        terminals[-1:] = bool(content[f"terminated_{number}"][()])
        episodes.append(episode | {"terminals": terminals})
    return Columns(joined(episodes, source))
