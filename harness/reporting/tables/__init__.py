"""The tables by name, and writing them to files in the formats that they have.

What a table is: model.
Tables: scores (the main one), joint (the same of several results), statistics, comparison, seeds, run_time,
samples, selection.
Formats: terminal, markdown, latex, html, data (CSV and JSON).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import HarnessError
from harness.reporting.catalogue import TABLE_SUFFIXES, Score
from harness.reporting.comparison import compare_with_baseline, default_baseline
from harness.reporting.published import Published
from harness.reporting.results import Results
from harness.reporting.tables.comparison import comparison_table
from harness.reporting.tables.data import to_csv, to_json
from harness.reporting.tables.html import to_html
from harness.reporting.tables.latex import to_latex
from harness.reporting.tables.markdown import to_markdown
from harness.reporting.tables.model import Table
from harness.reporting.tables.run_time import run_time_table
from harness.reporting.tables.samples import samples_table
from harness.reporting.tables.scores import published_table, score_table
from harness.reporting.tables.seeds import seeds_table
from harness.reporting.tables.selection import (
    importance_table,
    offline_selection_table,
    online_performance_table,
)
from harness.reporting.tables.statistics import improvement_table, statistics_table
from harness.reporting.tables.terminal import print_table
from harness.writing import write_text

TABLES: dict[str, Callable[[Results, Score], Table]] = {
    "scores": score_table,
    "statistics": statistics_table,
    "comparison": lambda results, score: comparison_table(
        compare_with_baseline(results, default_baseline(results), score)
    ),
    "improvement": improvement_table,
    "run-time": lambda results, score: run_time_table(results),
    "seeds": seeds_table,
    "online-performance": online_performance_table,
    "offline-selection": offline_selection_table,
    "importance": importance_table,
    "samples": samples_table,
}

FORMATS: dict[str, Callable[[Table], str]] = {
    "markdown": to_markdown,
    "latex": to_latex,
    "csv": to_csv,
    "html": to_html,
    "json": to_json,
}


def make_table(name: str, results: Results, score: Score, sources: Sequence[Published] = ()) -> Table:
    """Make the table of this name; published scores are in the table of scores only.

    Raises:
        HarnessError: if these results have nothing to show in this table.
    """
    table = score_table(results, score, sources) if name == "scores" else TABLES[name](results, score)
    return replace(table, results=results.name)


def write(folder: Path, results: Results, score: Score, sources: Sequence[Published] = ()) -> list[Path]:
    """Write every table that the results allow as Markdown, LaTeX and CSV, and return the files."""
    written = []
    for name in TABLES:
        try:
            table = make_table(name, results, score, sources)
        except HarnessError:
            continue
        for file_format in ("markdown", "latex", "csv"):
            path = folder / f"{name}{TABLE_SUFFIXES[file_format]}"
            write_text(path, FORMATS[file_format](table))
            written.append(path)
    return written


__all__ = ["FORMATS", "TABLES", "Table", "make_table", "print_table", "published_table", "score_table"]
