"""The live view of a run: a bar to watch in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.storage.progress import STATES, Progress, TrialProgress

LINE_SECONDS = 30.0
"""Between two plain lines about the whole."""
SHOWN_TRIALS = 8


class Display(Protocol):
    def say(self, line: str) -> None: ...
    def update(self) -> None:
        """The progress may have changed."""

    def __enter__(self) -> Display: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_display(progress: Progress, slots: int, output: TextIO) -> Display:
    console = Console(file=output)
    if console.is_terminal:
        return LiveDisplay(progress, slots, console)
    return PlainDisplay(progress, slots, output)


class LiveDisplay:
    def __init__(self, progress: Progress, slots: int, console: Console) -> None:
        self.progress = progress
        self.slots = slots
        self.console = console
        self.started = time.monotonic()
        self.live = Live(
            get_renderable=self._view,
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False)

    def update(self) -> None:
        pass  # it is redrawn four times a second anyway

    def __enter__(self) -> LiveDisplay:
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def _view(self) -> Group:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=self.progress.steps, completed=self.progress.step, width=40),
            Text(headline(self.progress, self.slots, time.monotonic() - self.started)),
        )
        running = Table.grid(padding=(0, 2))
        shown = self.progress.running()
        for trial in shown[:SHOWN_TRIALS]:
            running.add_row(*(Text(cell) for cell in _cells(trial)))
        more = len(shown) - SHOWN_TRIALS
        return Group(bar, running, *([Text(f"and {more} more running", style="dim")] if more > 0 else []))


class PlainDisplay:
    def __init__(
        self, progress: Progress, slots: int, output: TextIO, line_seconds: float = LINE_SECONDS
    ) -> None:
        self.progress = progress
        self.slots = slots
        self.output = output
        self.line_seconds = line_seconds
        self.started = self.last = time.monotonic()

    def say(self, line: str) -> None:
        print(line, file=self.output, flush=True)

    def update(self) -> None:
        now = time.monotonic()
        if now - self.last >= self.line_seconds:
            self.last = now
            self.say(headline(self.progress, self.slots, now - self.started))

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def headline(progress: Progress, slots: int | None = None, elapsed: float | None = None) -> str:
    """`42% of 1,500,000 steps | 60 done, 2 running, 88 waiting | 3,412 steps/s | 4 min left`."""
    steps = max(progress.steps, 1)
    counts = [
        f"{progress.count(state)} {state}"
        for state in STATES
        if state in ("done", "running") or progress.count(state)
    ]
    parts = [f"{100 * progress.step // steps}% of {progress.steps:,} steps", ", ".join(counts)]
    if progress.steps_per_second:
        parts.append(f"{progress.steps_per_second:,.0f} steps/s")
    left = progress.seconds_left(slots)
    if left:
        parts.append(f"{duration(left)} left")
    if elapsed is not None:
        parts.append(f"{duration(elapsed)} so far")
    return " | ".join(parts)


def duration(seconds: float) -> str:
    """`8 s`, `4 min`, `2 h 05 min`, `3 d 4 h`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = (seconds + 30) // 60, (seconds + 30) // 3600
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def shown_score(trial: TrialProgress) -> str:
    return "" if trial.score is None else f"{trial.score:.1f}"


def _cells(trial: TrialProgress) -> list[str]:
    at = f"{trial.step:,} / {trial.steps:,}"
    rate = f"{trial.steps_per_second:,.0f} steps/s" if trial.steps_per_second else ""
    return [trial.algorithm, trial.dataset, f"seed {trial.seed}", at, rate, shown_score(trial)]
