"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

Advance: TypeAlias = Callable[[str, int, int | None], None]
"""Called with what is being done, how far it is, and how far it goes."""


@contextmanager
def bar(title: str, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a progress bar on a terminal's stderr; it advances by what is yielded."""
    console = Console(stderr=True)
    amounts = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *amounts, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def advance(what: str, done: int, total: int | None) -> None:
            progress.update(task, description=what or title, completed=done, total=total)

        yield advance
