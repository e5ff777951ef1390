"""The files of transitions that `harness data import` reads: one small reader for each format."""

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
"""How many entries of an unknown file an error message names."""


class Format(Protocol):
    """One format: a module with these names."""

    TITLE: str
    """What it is, for people."""

    def matches(self, content: object) -> bool:
        """Return whether the content of a file is in this format; cheap."""

    def read(self, content: object, source: Source) -> Columns:
        """Read the content, which matches.

        Raises:
            HarnessError: saying what in it is not as the format has it.
        """


FORMATS: tuple[Format, ...] = (
    d3rlpy,
    robomimic,
    imitation,
    trajectories,
    stable_baselines3,
    tuples,
    flat,
)
"""In the order in which they are tried."""


def read(source: Source) -> Columns:
    """Read a file in whichever of `FORMATS` it is.

    Raises:
        HarnessError: if the file is missing or damaged, or in none of them; this names what is in the file.
    """
    with opened(source) as content:
        for each in FORMATS:
            if each.matches(content):
                return each.read(content, source)
        titles = ", ".join(each.TITLE for each in FORMATS)
        raise source.error(
            f"is of an unknown format: it holds {_described(content)}; known are: {titles} "
            "(docs/import-data.md)"
        )


def _described(content: object, nested: bool = True) -> str:
    """Say in a few words what is there: names, types, shapes."""
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
        return f"{tuple(content.shape)} {content.dtype}"
    return f"one {content.origin if isinstance(content, Opaque) else type(content).__name__}"
