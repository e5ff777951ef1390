"""Lists of one tuple for each step, as gymnasium or the older gym returns it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.datasets.formats.columns import Columns, Source, as_array

TITLE = "list of (state, action, reward, next_state, terminated, truncated, info) or (..., done, info) tuples"
COLUMNS = ("observations", "actions", "rewards", "next_observations", "terminals", "timeouts")
COLUMNS_OF_GYM = (*COLUMNS[:4], "dones")


def read(content: object, source: Source) -> Columns | None:
    """Read the steps of a list of tuples, with or without infos, of which only gym's time limits are used.

    Raises:
        HarnessError: if a step is not such a tuple, or its entries differ in shape from the others.
    """
    if not isinstance(content, list | tuple) or not content or not (columns := _columns_of(content[0])):
        return None
    for number, step in enumerate(content):
        if _columns_of(step) != columns:
            raise source.error(f"entry {number} is not a tuple of the same entries as the first one")
    arrays = {}
    for position, name in enumerate(columns):
        values = [as_array(step[position], name, source) for step in content]
        if len({value.shape for value in values}) > 1:
            raise source.error(f"the {name} have different shapes")
        arrays[name] = np.stack(values)
    if columns == COLUMNS_OF_GYM:
        cut = np.array([any(info.get("TimeLimit.truncated") for info in step[5:6]) for step in content])
        if cut.any():
            arrays |= {"terminals": (arrays.pop("dones") != 0) & ~cut, "timeouts": cut}
    return Columns(arrays)


def _columns_of(step: object) -> tuple[str, ...]:
    """Return the names of a step's entries; none if it is not a step."""
    if not isinstance(step, list | tuple) or len(step) not in (5, 6, 7):
        return ()
    return COLUMNS_OF_GYM if len(step) == 5 or isinstance(step[5], Mapping) else COLUMNS
