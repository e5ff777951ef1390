"""Tables as GitHub-flavoured Markdown."""

from __future__ import annotations

import re

from harness.reporting.tables.model import Cell, Emphasis, Kind, Table, emphasis_legend

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")


def to_markdown(table: Table) -> str:
    """Write a table in Markdown, with its caption and notes below it."""
    header = [
        table.header,
        *(f"{column.label} ({column.group})" if column.group else column.label for column in table.columns),
    ]
    lines = [
        _line([escaped(text) for text in header]),
        _line([":--", *("--:" for _ in table.columns)]),
        *(
            _line(
                [
                    _emphasized(row.label) if row.kind is not Kind.DATA else escaped(row.label),
                    *map(_cell, row.cells),
                ]
            )
            for row in table.rows
        ),
        "",
        escaped(table.caption),
    ]
    legend = emphasis_legend(table, "**bold**", "<ins>underlined</ins>")
    notes = [legend, *map(escaped, table.notes)]
    return "\n".join([*lines, *(f"\n{note}" for note in notes if note)]) + "\n"


def escaped(text: str) -> str:
    """Escape characters that are special in Markdown."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _emphasized(label: str) -> str:
    return f"*{escaped(label)}*"


def _cell(cell: Cell) -> str:
    text = escaped(cell.plain())
    match cell.emphasis:
        case Emphasis.BEST:
            return f"**{text}**"
        case Emphasis.CLOSE:
            return f"<ins>{text}</ins>"
        case Emphasis.NONE:
            return text
