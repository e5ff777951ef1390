"""Progress bars, which are shown only on a terminal."""

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
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

ProgressCallback: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of bytes received and the number of bytes of the file, if that is known."""
Advance: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the current activity, the progress so far, and the total."""


@contextmanager
def bar(title: str, *amounts: ProgressColumn) -> Iterator[Advance]:
    """Show a progress bar on a terminal's stderr; the yielded function advances it."""
    console = Console(stderr=True)
    amounts = amounts or (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *amounts, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def advance(what: str, done: int, total: int | None) -> None:
            progress.update(task, description=what or title, completed=done, total=total)

        yield advance


@contextmanager
def download_bar(title: str) -> Iterator[ProgressCallback]:
    """Show the progress of a download; the yielded function takes the bytes so far and of the whole file."""
    with bar(title, DownloadColumn(), TransferSpeedColumn()) as advance:
        yield lambda done, total: advance("", done, total)
