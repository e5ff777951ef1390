"""The trials of a report: each one's scores, and what failed, is missing or diverged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.reporting import captions
from harness.reporting.measures import decimals, title_of
from harness.reporting.results import Results
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.scores import TRIAL


@dataclass(frozen=True)
class Problems:
    """What is wrong with the trials of an experiment.

    Attributes:
        finished: how many trials are finished.
        lines: by kind, such as `failed`, a line for each trial.
    """

    finished: int
    lines: dict[str, Sequence[str]]

    @property
    def summary(self) -> str:
        """Return how many trials are concerned."""
        return ", ".join(f"{len(lines):,} {kind}" for kind, lines in self.lines.items())


def problems(results: Results) -> Problems:
    """Return what failed, is missing or diverged, in this order."""
    failed = set(results.failed)
    lines = {
        "failed": results.failed,
        "missing": [line for line in results.missing if line not in failed],
        "diverged": results.diverged,
    }
    return Problems(len(results.finished), {kind: of for kind, of in lines.items() if of})


def brief_notes(results: Results) -> tuple[str, ...]:
    """Return `captions.notes_on_trials` without the names of trials, which the page begins with."""
    notes = [*captions.selection(results), *captions.choices(results), *captions.stopped(results)]
    if results.diverged:
        notes.append(f"Training diverged in {len(results.diverged)} of {len(results.finished)} trials.")
    if results.missing:
        notes.append(f"Missing trials ({len(results.missing)}) are not counted.")
    return tuple(notes)


def with_brief_notes(table: Table, results: Results) -> Table:
    """Return a table whose notes do not name trials."""
    long = captions.notes_on_trials(results)
    if not long:
        return table
    return replace(table, notes=(*(note for note in table.notes if note not in long), *brief_notes(results)))


def trials_table(results: Results) -> Table:
    """Return a row per trial with its final, last and best score."""
    return Table(
        name="trials",
        caption="Each trial: the mean over its final evaluations, its last and its best evaluation.",
        header="Trial",
        columns=(
            Column("seed", "Seed"),
            Column("step", "Steps"),
            Column("final", "Final"),
            Column("last", "Last"),
            Column("best", "Best"),
        ),
        rows=tuple(_rows(results)),
    )


def _rows(results: Results) -> Iterator[Row]:
    trials = results.scores
    diverged = trials["diverged"].notna().tolist()
    for index, (algorithm, dataset, seed, step, finished) in enumerate(
        trials[[*TRIAL, "step", "finished"]].itertuples(index=False, name=None)
    ):
        columns = [results.score_column(dataset, name) for name in ("final", "last", "best")]
        values = [float(value) for value in trials[columns].iloc[index]]
        mark = ", ".join(["unfinished"] * (not finished) + ["diverged"] * diverged[index])
        shown = decimals(results, dataset, values)
        cells = (
            Cell(int(seed), decimals=0),
            Cell(int(step), decimals=0, mark=mark),
            *(Cell(value, decimals=shown) for value in values),
        )
        yield Row(f"{title_of(results, algorithm)} on {title_of(results, dataset)}", cells)
