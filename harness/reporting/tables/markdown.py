"""Tables as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.reporting.tables.model import Cell, Emphasis, Kind, Table, emphasis_legend

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")


def to_markdown(table: Table) -> str:
    """Write a table in Markdown, with its caption and notes below it."""
    labels = [
        f"{column.label} ({column.group})" if column.group else column.label for column in table.columns
    ]
    lines = [_line(map(escaped, [table.header, *labels])), _line([":--", *["--:"] * len(table.columns)])]
    for row in table.rows:
        label = escaped(row.label) if row.kind is Kind.DATA else f"*{escaped(row.label)}*"
        lines.append(_line([label, *map(_cell, row.cells)]))
    legend = emphasis_legend(table, "**bold**", "<ins>underlined</ins>")
    notes = [f"\n{note}" for note in (legend, *map(escaped, table.notes)) if note]
    return "\n".join([*lines, "", escaped(table.caption), *notes]) + "\n"


def escaped(text: str) -> str:
    """Escape characters that are special in Markdown."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = escaped(cell.plain())
    match cell.emphasis:
        case Emphasis.BEST:
            return f"**{text}**"
        case Emphasis.CLOSE:
            return f"<ins>{text}</ins>"
        case Emphasis.NONE:
            return text
