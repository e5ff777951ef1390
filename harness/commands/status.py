"""`harness status`: how far a run is, from its files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.commands.options import PATH
from harness.commands.output import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from harness.storage.estimates import SelectionProgress
    from harness.storage.progress import Progress

WATCH_SECONDS = 2.0
PIPED_WIDTH = 200
WATCHED = ("running", "failed", "waiting", "paused", "done", "stopped")
"""What is shown first where there is no room for all."""
LINES_AROUND = 6
"""Of a watched table: its heading, what is below it, and the prompt."""


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@click.option("--watch", is_flag=True, help="Refresh every 2 seconds until the run ends.")
@json_option
def status(results: str, watch: bool, as_json: bool) -> None:
    """Show the progress of a run.

    DIR is the results directory, or its URL. Progress is read from its files alone, on any machine that can
    read them.
    """
    if watch and as_json:
        raise click.UsageError("--watch and --json exclude each other")
    from harness.storage.progress import scan
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    store = open_store(results)
    if as_json:
        print_json(as_dict(scan(RunDirectory.load(store))))
    elif watch:
        _watch(lambda earlier: scan(RunDirectory.load(store), earlier), results)
    else:
        from rich.console import Console

        console = Console()
        if not console.is_terminal:
            console = Console(width=PIPED_WIDTH)
        console.print(view(scan(RunDirectory.load(store)), results))


def as_dict(progress: Progress) -> dict[str, Any]:
    from dataclasses import asdict

    from harness.storage.progress import STATES

    driver = progress.driver
    return {
        "driver": driver and {key: driver[key] for key in ("host", "pid", "started", "renewed")},
        "trials": {state: progress.count(state) for state in STATES},
        "step": progress.step,
        "steps": progress.steps,
        "steps_per_second": progress.steps_per_second,
        "seconds_left": progress.seconds_left(),
        "selection": None if progress.selection is None else _selection_as_dict(progress.selection),
        "each": [asdict(trial) for trial in progress.trials],
    }


def _selection_as_dict(selection: SelectionProgress) -> dict[str, Any]:
    return {
        "method": selection.method,
        "done": selection.done,
        "missing": len(selection.missing),
        "without_policy": len(selection.without_policy),
    }


def _selection_line(selection: SelectionProgress) -> str:
    """`fqe: 12 of 48 policies of finished trials have an estimate`, and how many kept no policy."""
    without = len(selection.without_policy)
    total = selection.done + len(selection.missing) + without
    words = f"{selection.method}: {selection.done} of {total} policies of finished trials have an estimate"
    return words + (f" ({without} were not kept)" if without else "")


def view(progress: Progress, target: str, rows: int | None = None) -> RenderableType:
    """
    Args:
        rows: the most that there is room for, one line each; those at work and those that failed come first.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from harness.storage import lease
    from harness.tuning.display import headline, shown_score

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("", "left"),
        ("algorithm", "left"),
        ("dataset", "left"),
        ("seed", "right"),
        ("step", "right"),
        ("steps/s", "right"),
        ("score", "right"),
        ("", "left"),
    ):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.columns[-1].no_wrap = False  # the reason gives way first
    styles = {
        "done": "green",
        "running": "bold",
        "failed": "red",
        "waiting": "dim",
        "paused": "dim",
        "stopped": "yellow",
    }
    trials = progress.trials
    if rows is not None and len(trials) > rows:
        trials = sorted(trials, key=lambda trial: WATCHED.index(trial.state))[: max(rows, 1)]
    for trial in trials:
        rate = f"{trial.steps_per_second:,.0f}" if trial.steps_per_second else ""
        row = (
            trial.state,
            trial.algorithm,
            trial.dataset,
            str(trial.seed),
            f"{trial.step:,} / {trial.steps:,}",
            rate if trial.state in ("done", "running", "stopped") else "",
            shown_score(trial),
            trial.reason or (f"diverged: {trial.diverged}" if trial.diverged else ""),
        )
        cells = [Text(cell, no_wrap=rows is not None, overflow="ellipsis") for cell in row]
        table.add_row(*cells, style=styles[trial.state])
    if progress.driver:
        who = lease.describe(progress.driver)
    elif progress.complete:
        who = "all is done"
    else:
        who = f"no driver is running; resume with: harness resume {target}"
    hidden = len(progress.trials) - len(trials)
    gap = Text(f"and {hidden} more" if hidden else "", style="dim")
    lines = [headline(progress)]
    if progress.selection is not None:
        lines.append(_selection_line(progress.selection))
    return Group(table, gap, *map(Text, [*lines, who]))


def _watch(look: Callable[[Progress | None], Progress], target: str) -> None:
    import time

    from rich.console import Console
    from rich.live import Live

    console = Console()
    progress = look(None)

    def shown() -> RenderableType:
        return view(progress, target, console.height - LINES_AROUND)

    with Live(get_renderable=shown, console=console, auto_refresh=False) as live:
        live.refresh()
        while progress.driver is not None:
            time.sleep(WATCH_SECONDS)
            progress = look(progress)
            live.refresh()
