"""Tables as CSV and JSON, with all digits of the numbers."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from harness.errors import HarnessError
from harness.reporting.tables.model import Cell, Emphasis, Table


def to_csv(table: Table) -> str:
    """Write a column for each number, then its `... std`, `... low`, `... high` and `... mark`, if any.

    Raises:
        HarnessError: if two columns would have the same name.
    """
    parts = [
        _parts(column.key, [row.cells[index] for row in table.rows])
        for index, column in enumerate(table.columns)
    ]
    names = [table.header.lower(), *(name for part in parts for name in part)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise HarnessError(f"CSV: two columns would be called {twice}; use another format, such as JSON")
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for row in table.rows:
        digits = [read(cell) for cell, part in zip(row.cells, parts, strict=True) for read in part.values()]
        writer.writerow([row.key or row.label, *digits])
    return file.getvalue()


def _parts(key: str, cells: Sequence[Cell]) -> dict[str, Callable[[Cell], str]]:
    """Return the CSV columns of a table's column, and how each is read from a cell."""
    parts: dict[str, Callable[[Cell], str]] = {key: lambda cell: _digits(cell.value) or cell.text}
    if any(cell.spread is not None for cell in cells):
        parts[f"{key} std"] = lambda cell: _digits(cell.spread)
    if any(cell.interval is not None for cell in cells):
        parts[f"{key} low"] = lambda cell: _digits(cell.interval[0] if cell.interval else None)
        parts[f"{key} high"] = lambda cell: _digits(cell.interval[1] if cell.interval else None)
    if any(cell.mark for cell in cells):
        parts[f"{key} mark"] = lambda cell: cell.mark
    return parts


def to_json(table: Table) -> str:
    """Write valid JSON: numbers that are not finite become strings."""
    rows = [
        {
            table.header.lower(): row.key or row.label,
            "label": row.label,
            "kind": row.kind.value,
            "cells": {column.key: _cell(cell) for column, cell in zip(table.columns, row.cells, strict=True)},
        }
        for row in table.rows
    ]
    page = {
        "table": table.name,
        "caption": table.caption,
        "notes": list(table.notes),
        **table.details,
        "columns": [
            {"key": column.key, "label": column.label, "group": column.group} for column in table.columns
        ],
        "rows": rows,
    }
    return json.dumps(page, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _cell(cell: Cell) -> dict[str, Any]:
    value = cell.text if cell.value is None and cell.text else _json_number(cell.value)
    entry: dict[str, Any] = {"value": value, "std": _json_number(cell.spread)}
    if cell.interval is not None:
        entry["interval"] = [_json_number(end) for end in cell.interval]
    if cell.emphasis is not Emphasis.NONE:
        entry["emphasis"] = cell.emphasis.value
    if cell.mark:
        entry["mark"] = cell.mark
    return entry


def _digits(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _json_number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return None if value is None else float(value)
    return str(value)
