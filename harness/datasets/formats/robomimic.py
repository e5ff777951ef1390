"""robomimic's HDF5: a group `data/demo_0`, `data/demo_1`, ... for each demonstration.

Source of the layout: ARISE-Initiative/robomimic `robomimic/scripts/dataset_states_to_obs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.datasets.formats.columns import (
    Columns,
    Source,
    as_array,
    entries_note,
    joined,
    names_in,
    require,
)

TITLE = "robomimic .hdf5"


def matches(content: object) -> bool:
    """Return whether the content has a group of demonstrations."""
    data = content.get("data") if isinstance(content, Mapping) else None
    return isinstance(data, Mapping) and any(str(name).startswith("demo_") for name in data)


def read(content: object, source: Source) -> Columns:
    """Read the demonstrations in the order of their numbers; entries of observations are concatenated.

    Raises:
        HarnessError: if a demonstration has no observations (raw files have only simulator states), or lacks
            another array.
    """
    assert isinstance(content, Mapping)
    data = content["data"]
    episodes = []
    for demo in sorted(data, key=lambda name: int("0" + re.sub(r"\D", "", name))):
        names = names_in({name: item for name, item in data[demo].items() if name != "states"})
        if "observations" not in names:
            raise source.error(
                f"data/{demo} has no obs, only {', '.join(data[demo])}; create them with robomimic's "
                "dataset_states_to_obs.py"
            )
        require(names, data[demo], source, f"data/{demo}: ")
        episodes.append(
            {
                column: as_array(data[demo][name], f"data/{demo}/{name}", source)
                for column, name in names.items()
            }
        )
    return Columns(joined(episodes, source), (entries_note(data[demo]["obs"], source),))
