"""Tables and the formats that they are written in."""

from __future__ import annotations

from collections.abc import Callable

from harness.reporting.tables.data import to_csv, to_json
from harness.reporting.tables.html import to_html
from harness.reporting.tables.latex import to_latex
from harness.reporting.tables.markdown import to_markdown
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.reporting.tables.published import published_table
from harness.reporting.tables.scores import score_table
from harness.reporting.tables.terminal import print_table

FORMATS: dict[str, Callable[[Table], str]] = {
    "markdown": to_markdown,
    "latex": to_latex,
    "csv": to_csv,
    "html": to_html,
    "json": to_json,
}

__all__ = [
    "FORMATS",
    "Cell",
    "Column",
    "Row",
    "Table",
    "print_table",
    "published_table",
    "score_table",
]
