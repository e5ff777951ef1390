"""A table as CSV and JSON: the numbers with all their digits."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from harness.reporting.tables.model import Cell, Emphasis, Table


def to_csv(table: Table) -> str:
    """A column for each number, and one `... std` beside each that has deviations; NaN is written `nan`."""
    spread = [
        any(row.cells[index].spread is not None for row in table.rows) for index in range(len(table.columns))
    ]
    header = [table.header.lower()]
    for column, has_spread in zip(table.columns, spread, strict=True):
        header += [column.key, f"{column.key} std"] if has_spread else [column.key]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    for row in table.rows:
        line = [row.label]
        for cell, has_spread in zip(row.cells, spread, strict=True):
            line.append(cell.text or _digits(cell.value))
            if has_spread:
                line.append(_digits(cell.spread))
        writer.writerow(line)
    return file.getvalue()


def to_json(table: Table) -> str:
    """Valid JSON: what is not a finite number is written as a string."""
    rows = [
        {
            table.header.lower(): row.label,
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
    entry: dict[str, Any] = {"value": cell.text or _json_number(cell.value), "std": _json_number(cell.spread)}
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
