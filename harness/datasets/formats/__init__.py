"""The file formats of `harness data import`, with one small reader for each, listed in `FORMATS`.

containers              opens files of any container format (unpickling: pickles, without running code)
columns                 what every reader returns
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.datasets.formats import (
    d3rlpy,
    flat,
    imitation,
    robomimic,
    stable_baselines3,
    trajectories,
    tuples,
)
from harness.datasets.formats.columns import Columns, Source
from harness.datasets.formats.containers import opened
from harness.datasets.formats.unpickling import Opaque

__all__ = ["FORMATS", "Columns", "Format", "Source", "read"]

SHOWN = 12
"""The number of entries of an unknown file that an error message names."""


class Format(Protocol):
    """A format: a module with these names."""

    TITLE: str
    """Its name in messages and documentation."""

    def read(self, content: object, source: Source) -> Columns | None:
        """Read the content of a file; return None at once unless it is in this format.

        Raises:
            HarnessError: if the content violates the format.
        """


FORMATS: tuple[Format, ...] = (d3rlpy, robomimic, imitation, trajectories, stable_baselines3, tuples, flat)
"""The formats in the order in which they are tried."""


def read(source: Source) -> Columns:
    """Read a file in any of `FORMATS`; an error describes the content of a file in another one."""
    with opened(source) as content:
        for each in FORMATS:
            if (columns := each.read(content, source)) is not None:
                return columns
        titles = ", ".join(each.TITLE for each in FORMATS)
        raise source.error(
            f"unknown format: the file contains {_described(content)}; known formats: {titles} "
            "(docs/import-data.md)"
        )


def _described(content: object, nested: bool = True) -> str:
    """Summarise the content: names, types, shapes."""
    if isinstance(content, Mapping):
        entries = list(content.items())
        shown = [
            f"{key} {_described(value, False)}" if nested else f"{key}" for key, value in entries[:SHOWN]
        ]
        more = f", ... ({len(entries)} entries)" if len(entries) > SHOWN else ""
        return f"{{{', '.join(shown)}{more}}}"
    if isinstance(content, list | tuple) and content:
        first = f", the first is {_described(content[0])}" if nested else ""
        return f"a {type(content).__name__} of {len(content)}{first}"
    if hasattr(content, "shape") and hasattr(content, "dtype"):
        return f"{content.shape} {content.dtype}"
    return f"one {content.origin if isinstance(content, Opaque) else type(content).__name__}"
