"""Lists of one tuple for each step, as gymnasium returns it."""

from __future__ import annotations

import numpy as np

from harness.datasets.formats.columns import Columns, Source, as_array

TITLE = "list of (state, action, reward, next_state, terminated, truncated, info) tuples"
COLUMNS = ("observations", "actions", "rewards", "next_observations", "terminals", "timeouts")


def read(content: object, source: Source) -> Columns | None:
    """Read the steps of a list of tuples with six or seven entries, without their infos.

    Raises:
        HarnessError: if a step is not such a tuple, or its entries differ in shape from the others.
    """
    if not isinstance(content, list | tuple) or not content or not _is_step(content[0]):
        return None
    for number, step in enumerate(content):
        if not _is_step(step):
            raise source.error(f"entry {number} is not a tuple of 6 or 7 entries as the first one is")
    columns = zip(*(step[:6] for step in content), strict=True)
    arrays = {
        name: [as_array(value, name, source) for value in column]
        for name, column in zip(COLUMNS, columns, strict=True)
    }
    for name, values in arrays.items():
        if len({value.shape for value in values}) > 1:
            raise source.error(f"the {name} have different shapes")
    return Columns({name: np.stack(values) for name, values in arrays.items()})


def _is_step(entry: object) -> bool:
    return isinstance(entry, list | tuple) and len(entry) in (6, 7)
