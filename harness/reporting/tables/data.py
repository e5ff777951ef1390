"""Tables as CSV and JSON, with all digits of the numbers."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from harness.reporting.tables.model import Cell, Emphasis, Table


def to_csv(table: Table) -> str:
    """Write a column for each number, then its `... std`, `... low`, `... high` and `... mark`, if any."""
    columns = [(table.header.lower(), [row.key or row.label for row in table.rows])]
    for index, column in enumerate(table.columns):
        cells = [row.cells[index] for row in table.rows]
        parts = {
            "std": [_digits(cell.spread) for cell in cells],
            "low": [_digits(cell.interval and cell.interval[0]) for cell in cells],
            "high": [_digits(cell.interval and cell.interval[1]) for cell in cells],
            "mark": [cell.mark for cell in cells],
        }
        columns.append((column.key, [_digits(cell.value) or cell.text for cell in cells]))
        columns += [(f"{column.key} {part}", texts) for part, texts in parts.items() if any(texts)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(name for name, _ in columns)
    writer.writerows(zip(*(texts for _, texts in columns), strict=True))
    return file.getvalue()


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
    if value is None:
        return None
    return float(value) if math.isfinite(value) else str(value)
