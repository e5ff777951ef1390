"""Which tables there are, and writing documents to files whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.reporting.published import Published
from harness.reporting.results import Results
from harness.reporting.scores import Score
from harness.reporting.tables import Table, score_table
from harness.reporting.tables.run_time import run_time_table
from harness.reporting.tables.seeds import seeds_table
from harness.storage.stores import DirectoryStore

TABLES: dict[str, Callable[[Results, Score], Table]] = {
    "scores": score_table,
    "run-time": lambda results, score: run_time_table(results),
    "seeds": seeds_table,
}


def make_table(name: str, results: Results, score: Score, sources: Sequence[Published] = ()) -> Table:
    """The table of this name; published scores stand in the table of scores only."""
    return score_table(results, score, sources) if name == "scores" else TABLES[name](results, score)


def write_text(path: Path | str, text: str) -> None:
    """Put the file in place whole or not at all.

    Raises:
        HarnessError: where it cannot be written.
    """
    path = Path(path)
    DirectoryStore(str(path.parent)).write(path.name, text.encode("utf-8"))
