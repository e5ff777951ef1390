"""Arrays by name, one row for each step: npz, HDF5 (d3rlpy 1, D4RL), pickled and torch-saved dicts."""

from __future__ import annotations

from collections.abc import Mapping

from harness.datasets.formats.columns import Columns, Source, as_array, names_in, require
from harness.datasets.layout import FINAL, REQUIRED

TITLE = "arrays by name (npz, HDF5, pickled or torch-saved dict: observations, actions, rewards, terminals)"


def matches(content: object) -> bool:
    """Return whether two of the required arrays exist, so that an error can name a missing third one."""
    return isinstance(content, Mapping) and sum(column in REQUIRED for column in names_in(content)) >= 2


def read(content: object, source: Source) -> Columns:
    """Read the arrays that have a known name.

    Without next observations, rows are taken to be in chronological order.

    Raises:
        HarnessError: if one of the needed arrays is missing, or not one of numbers.
    """
    assert isinstance(content, Mapping)
    names = names_in(content)
    require(names, content, source)
    names |= {FINAL: FINAL} if FINAL in content else {}
    return Columns({column: as_array(content[name], name, source) for column, name in names.items()})
