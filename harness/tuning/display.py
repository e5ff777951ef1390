"""The display of a run in progress: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from typing_extensions import override

from harness.storage.progress import Progress, TrialProgress
from harness.tuning.progress_table import progress_table
from harness.tuning.summary import describe_divergence, describe_score, describe_trial, duration, headline

LINE_SECONDS = 30.0
"""Seconds between two plain lines about the whole run."""
RESERVED_LINES = 2
"""Lines of the terminal not used by the table: the headline, and one for the cursor."""
Clock = Callable[[], float]


class Display:
    """Prints one line for each finished trial and, at intervals, one for the whole run."""

    def __init__(self, progress: Progress, output: IO[str], clock: Clock = time.monotonic) -> None:
        self._progress = progress
        self._output = output
        self._clock = clock
        self._concurrency: int | None = None
        self._began = self._next_line = clock()

    def say(self, line: str) -> None:
        """Show a permanent line."""
        print(line, file=self._output, flush=True)

    def prepare(self, activity: str) -> None:
        """Show what is done before the first trial starts."""
        self.say(f"{activity} ...")

    def begin(self, concurrency: int) -> None:
        """Start to show the progress of a run that trains this many trials at a time."""
        self._concurrency, self._began = concurrency, self._clock()

    def finished(self, trial: TrialProgress) -> None:
        """Show that a trial has finished."""
        what = ", ".join(filter(None, (describe_score(trial), describe_divergence(trial))))
        self.say(f"done {describe_trial(trial)}" + (f": {what}" if what else ""))

    def update(self) -> None:
        """Show the current progress."""
        now = self._clock()
        if now >= self._next_line:
            self._next_line = now + LINE_SECONDS
            self.say(headline(self._progress, self._concurrency, now - self._began))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the display."""


def open_display(progress: Progress, output: TextIO) -> Display:
    """Return a display that suits the output: a live one for a terminal that can move its cursor."""
    console = Console(file=output)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveDisplay(progress, console)
    return Display(progress, output)


class LiveDisplay(Display):
    """Shows a table in a terminal, redrawn in place four times a second by a thread."""

    def __init__(self, progress: Progress, console: Console, clock: Clock = time.monotonic) -> None:
        super().__init__(progress, console.file, clock)
        self._console = console
        self._activity = ""
        self._live = Live(
            get_renderable=self.view,
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @override
    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False)

    @override
    def prepare(self, activity: str) -> None:
        self._activity, self._began = activity, self._clock()

    @override
    def begin(self, concurrency: int) -> None:
        super().begin(concurrency)
        self._activity = ""

    @override
    def finished(self, trial: TrialProgress) -> None:
        """Do nothing: the table shows it."""

    @override
    def update(self) -> None:
        """Do nothing: the thread does it."""

    @override
    def __enter__(self) -> Self:
        self._live.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def view(self) -> Group:
        """Return the table and headline for the current size of the terminal."""
        width, height = self._console.size
        elapsed = self._clock() - self._began
        if self._activity:
            last = f"{self._activity} ... {duration(elapsed)}"
        else:
            last = headline(self._progress, self._concurrency, elapsed, width)
        table = progress_table(self._progress, width, height - RESERVED_LINES)
        return Group(table, Text(last, no_wrap=True, overflow="ellipsis"))
