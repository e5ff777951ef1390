"""A table of a run in progress: a row per dataset, a column per variant, a score and bar in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.storage.progress import Progress, TrialProgress
from harness.tuning.summary import counted

SCORE_WIDTH, BAR_WIDTH = 7, 5
CELL_WIDTH = SCORE_WIDTH + 1 + BAR_WIDTH
NAME_WIDTH = 16
"""The minimum width of the name of a dataset."""
GAP = 2


@dataclass(frozen=True)
class Cell:
    """The seeds of one variant on one dataset."""

    trials: Sequence[TrialProgress]

    @property
    def score(self) -> str:
        """Return the mean over seeds of the latest score."""
        scores = [trial.score for trial in self.trials if trial.score is not None]
        if not scores:
            return "-"
        text = f"{fmean(scores):.1f}"
        if len(text) > SCORE_WIDTH:
            text = f"{fmean(scores):.1e}"
        return text

    @property
    def bar(self) -> str:
        """Return a bar for the training done over all seeds, with `x` for the share of failed seeds."""
        share = BAR_WIDTH / len(self.trials)
        failed = ceil(share * self.count("failed"))
        done = share * sum(trial.step / trial.steps for trial in self.trials if trial.state != "failed")
        halves = min(int(2 * done + 1e-9), 2 * (BAR_WIDTH - failed))
        filled = "█" * (halves // 2) + "▌" * (halves % 2)
        return (filled + "x" * failed).ljust(BAR_WIDTH, "░")

    def count(self, state: str) -> int:
        """Return the number of seeds in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def urgency(self) -> int:
        """Return the priority of the cell if not all fit; 0 is shown first."""
        if self.count("running"):
            return 0
        if self.count("failed"):
            return 1
        return 3 if self.count("waiting") + self.count("paused") == len(self.trials) else 2

    def text(self) -> Text:
        """Return the formatted cell."""
        style = {0: "bold", 1: "red", 3: "dim"}.get(self.urgency, "green")
        mark = "!" if any(trial.diverged for trial in self.trials) else " "
        return Text(f"{self.score}{mark}{self.bar}", style=style, no_wrap=True)


def progress_table(progress: Progress, width: int, height: int) -> RenderableType:
    """Return the table with a legend below it, in blocks of as many variants as fit side by side.

    If not all rows fit, those with running trials come first, and the legend counts the omitted ones.
    """
    cells = _cells(progress)
    datasets = {trial.dataset: trial.score_kind for trial in progress.trials if trial.score is not None}
    names = {
        trial.dataset: trial.dataset + " (return)" * (datasets.get(trial.dataset) == "return")
        for trial in progress.trials
    }
    name_width = min(max(map(len, names.values()), default=0), max(NAME_WIDTH, width // 3))
    columns = (width - name_width) // (CELL_WIDTH + GAP)
    if columns < 1 or height < 3:
        return Text("")
    variants = list(dict.fromkeys(trial.algorithm for trial in progress.trials))
    blocks = [variants[start : start + columns] for start in range(0, len(variants), columns)]
    shown, hidden = _rows_that_fit(cells, blocks, list(names), height - 1)
    parts: list[RenderableType] = []
    for block, rows in zip(blocks, shown, strict=True):
        if not rows:
            continue
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        table.add_column("", width=name_width, no_wrap=True)
        for variant in block:
            table.add_column(Text(variant, overflow="fold"), width=CELL_WIDTH, justify="right")
        for dataset in rows:
            found = (cells.get((variant, dataset)) for variant in block)
            table.add_row(
                Text(names[dataset], no_wrap=True, overflow="ellipsis"),
                *(cell.text() if cell else "" for cell in found),
            )
        parts.append(table)
    legend = _legend(progress, hidden)
    return Group(*parts, Text(legend, style="dim", no_wrap=True, overflow="ellipsis"))


def _cells(progress: Progress) -> dict[tuple[str, str], Cell]:
    trials: dict[tuple[str, str], list[TrialProgress]] = {}
    for trial in progress.trials:
        trials.setdefault((trial.algorithm, trial.dataset), []).append(trial)
    return {place: Cell(seeds) for place, seeds in trials.items()}


def _rows_that_fit(
    cells: dict[tuple[str, str], Cell], blocks: Sequence[Sequence[str]], datasets: Sequence[str], height: int
) -> tuple[list[list[str]], int]:
    """Choose the rows of each block that fit into `height` lines; return them and how many do not fit."""
    headers = [max(ceil(len(variant) / CELL_WIDTH) for variant in block) for block in blocks]
    rows = [
        (min(urgencies), index, dataset)
        for index, block in enumerate(blocks)
        for dataset in datasets
        if (urgencies := [cells[each, dataset].urgency for each in block if (each, dataset) in cells])
    ]
    chosen: list[set[str]] = [set() for _ in blocks]
    for _, index, dataset in sorted(rows, key=lambda row: row[0]):
        height -= 1 if chosen[index] else 1 + headers[index]
        if height < 0:
            break
        chosen[index].add(dataset)
    shown = [[dataset for dataset in datasets if dataset in each] for each in chosen]
    return shown, len(rows) - sum(map(len, shown))


def _legend(progress: Progress, hidden: int) -> str:
    kinds = {trial.score_kind for trial in progress.trials if trial.score is not None}
    parts = [f"latest {' or '.join(sorted(kinds)) or 'score'}, mean over seeds", "bar: trained"]
    if progress.failed():
        parts.append("x failed")
    if any(trial.diverged for trial in progress.trials):
        parts.append("! diverged")
    if hidden:
        parts.insert(0, counted(hidden, "more row"))
    return " | ".join(parts)
