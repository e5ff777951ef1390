"""robomimic's HDF5: a group `data/demo_0`, `data/demo_1`, ... for each demonstration.

Source of the layout: ARISE-Initiative/robomimic `robomimic/scripts/dataset_states_to_obs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.datasets.formats.columns import Columns, Source, arrays_in, entries_note, joined

TITLE = "robomimic .hdf5"


def read(content: object, source: Source) -> Columns | None:
    """Read the demonstrations in the order of their numbers; entries of observations are concatenated.

    Raises:
        HarnessError: if a demonstration has no observations (raw files have only simulator states), or lacks
            another array.
    """
    data = content.get("data") if isinstance(content, Mapping) else None
    if not isinstance(data, Mapping) or not any(str(name).startswith("demo_") for name in data):
        return None
    episodes = []
    for demo in sorted(data, key=lambda name: int("0" + re.sub(r"\D", "", name))):
        if "obs" not in data[demo]:
            raise source.error(
                f"data/{demo} has no obs, only {', '.join(data[demo])}; create them with robomimic's "
                "dataset_states_to_obs.py"
            )
        arrays = {name: item for name, item in data[demo].items() if name != "states"}
        episodes.append(arrays_in(arrays, source, f"data/{demo}: "))
    return Columns(joined(episodes, source), (entries_note(data[demo]["obs"], source),))
