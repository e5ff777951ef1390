"""Trials that failed, are missing or diverged: a report lists them first, to keep table notes short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.reporting import captions
from harness.reporting.results import Results
from harness.reporting.tables.model import Table


def problems(results: Results) -> dict[str, Sequence[str]]:
    """Return lines about the trials that failed, are missing or diverged, in this order, by kind."""
    failed = set(results.failed)
    lines = {
        "failed": results.failed,
        "missing": [line for line in results.missing if line not in failed],
        "diverged": results.diverged,
    }
    return {kind: of for kind, of in lines.items() if of}


def brief_notes(results: Results) -> tuple[str, ...]:
    """Return `captions.notes_on_trials` without trials and choices of samples, which the page states once."""
    notes = [*captions.selection(results), *captions.stopped(results)]
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
