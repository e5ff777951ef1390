"""The output of `harness status`: for terminals, pipes and programs."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.storage import lease
from harness.storage.estimates import SelectionProgress
from harness.storage.progress import Progress, TrialProgress
from harness.storage.trial_state import STATES
from harness.tuning.progress_table import progress_table
from harness.tuning.summary import (
    LINE_WIDTH,
    describe_divergence,
    describe_score,
    describe_trial,
    headline,
)

WATCH_SECONDS = 2.0
SHOWN_PROBLEMS = 8


def as_dict(progress: Progress) -> dict[str, Any]:
    """Return the status as a dictionary, for `--json`."""
    driver, selection = progress.driver, progress.selection
    return {
        "driver": driver and {key: driver[key] for key in ("host", "pid", "started", "renewed")},
        "trials": {state: progress.count(state) for state in STATES},
        "step": progress.step,
        "steps": progress.steps,
        "steps_per_second": progress.steps_per_second,
        "seconds_left": progress.seconds_left(),
        "selection": selection
        and {
            "method": selection.method,
            "done": selection.done,
            "missing": len(selection.missing),
            "without_policy": len(selection.without_policy),
        },
        "each": [asdict(trial) for trial in progress.trials],
    }


def show(progress: Progress, target: str, console: Console | None = None) -> None:
    """Print a table to a terminal, or one line for each trial elsewhere."""
    console = console or Console()
    if console.is_terminal:
        console.print(view(progress, target, console, cut=False))
        return
    print("\n".join([*trial_lines(progress), "", *_summary(progress, target)]))


def watch(scan: Callable[[Progress | None], Progress], target: str, console: Console | None = None) -> None:
    """Refresh the table every two seconds while a driver runs; `scan` reads the progress, given the last."""
    console = console or Console()
    progress = scan(None)
    with Live(
        get_renderable=lambda: view(progress, target, console), console=console, auto_refresh=False
    ) as live:
        live.refresh()
        while progress.driver is not None:
            time.sleep(WATCH_SECONDS)
            progress = scan(progress)
            live.refresh()


def view(progress: Progress, target: str, console: Console, cut: bool = True) -> Group:
    """Return the table, the trials that failed or diverged, and a summary, with long lines cut or folded."""
    below = [*_problems(progress), *_summary(progress, target, console.width)]
    table = progress_table(progress, console.width, console.height - len(below) - 1)
    return Group(table, *(Text(line, no_wrap=cut, overflow="ellipsis" if cut else "fold") for line in below))


def _summary(progress: Progress, target: str, width: int = LINE_WIDTH) -> list[str]:
    lines = [headline(progress, width=width)]
    if progress.selection is not None:
        lines.append(_selection_line(progress.selection))
    return [*lines, driver_line(progress, target)]


def _selection_line(selection: SelectionProgress) -> str:
    """Return `fqe: 12 of 48 policies of finished trials have an estimate`, and how many were not kept."""
    without = len(selection.without_policy)
    total = selection.done + len(selection.missing) + without
    words = f"{selection.method}: {selection.done} of {total} policies of finished trials have an estimate"
    return words + (f" (policies not kept: {without})" if without else "")


def driver_line(progress: Progress, target: str) -> str:
    """Return a line on the current driver or, without one, on what to do next."""
    if progress.driver:
        verb = "Stopping" if progress.driver.get("stopping") else "Running"
        left_out = sum(not trial.selected for trial in progress.trials)
        limits = f"; {left_out} of {len(progress.trials)} trials are not selected" if left_out else ""
        return f"{verb}: {lease.describe(progress.driver)}{limits}"
    if progress.complete:
        return f"All trials are done; show the results with: harness table {shlex.quote(target)}"
    return f"No driver is running; resume with: harness resume {shlex.quote(target)}"


def trial_lines(progress: Progress) -> list[str]:
    """Return a heading and one line for each trial, in columns wide enough for every cell."""
    rows = [("state", "algorithm", "dataset", "seed", "gradient steps", "score", "note")]
    rows += [
        (
            trial.state,
            trial.algorithm,
            trial.dataset,
            str(trial.seed),
            f"{trial.step:,} of {trial.steps:,}",
            describe_score(trial),
            _note(trial),
        )
        for trial in progress.trials
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _note(trial: TrialProgress) -> str:
    if trial.state in ("failed", "stopped"):
        return trial.reason or ""
    if trial.edited:
        return "ran with another version of its code"
    rate = (
        f"{trial.steps_per_second:,.0f} steps/s"
        if trial.steps_per_second and trial.state == "running"
        else ""
    )
    return ", ".join(filter(None, (rate, describe_divergence(trial))))


def _problems(progress: Progress) -> list[str]:
    """Return lines on trials that failed or diverged, limited to the first few."""
    lines = [f"failed {describe_trial(trial)}: {trial.reason}" for trial in progress.failed()]
    lines += [
        f"{describe_trial(trial)}, {describe_divergence(trial)}"
        for trial in progress.trials
        if trial.diverged and trial.state != "failed"
    ]
    if len(lines) > SHOWN_PROBLEMS:
        hidden = len(lines) - SHOWN_PROBLEMS
        lines = [*lines[:SHOWN_PROBLEMS], f"and {hidden} more trials that failed or diverged"]
    return lines
