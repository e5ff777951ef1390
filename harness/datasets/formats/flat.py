"""Arrays by name, one row for each step: npz, HDF5 (d3rlpy 1, D4RL), pickled and torch-saved dicts."""

from __future__ import annotations

from collections.abc import Mapping

from harness.datasets.formats.columns import Columns, Source, arrays_in, as_array, looks_like_steps
from harness.datasets.layout import FINAL

TITLE = "arrays by name (npz, HDF5, pickled or torch-saved dict: observations, actions, rewards, terminals)"


def read(content: object, source: Source) -> Columns | None:
    """Read the arrays that have a known name, if two of the required ones do.

    Without next observations, rows are taken to be in chronological order.

    Raises:
        HarnessError: if one of the needed arrays is missing, or not one of numbers.
    """
    if not isinstance(content, Mapping) or not looks_like_steps(content):
        return None
    arrays = arrays_in(content, source)
    if FINAL in content:
        arrays[FINAL] = as_array(content[FINAL], FINAL, source)
    return Columns(arrays)
