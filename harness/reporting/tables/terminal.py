"""Tables for the terminal."""

from __future__ import annotations

from typing import TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from harness.reporting.tables.model import Cell, Emphasis, Kind, Table, emphasis_legend

STYLES = {Emphasis.NONE: "", Emphasis.BEST: "bold", Emphasis.CLOSE: "underline"}
MARKS = {Emphasis.NONE: "", Emphasis.BEST: " *", Emphasis.CLOSE: " ~"}
"""Marks instead of styles where the output has none, such as in a file."""

FILE_WIDTH = 10_000


def print_table(table: Table, file: TextIO | None = None) -> None:
    """Print with colours if `file` (standard output by default) is a terminal, else with marks.

    Columns that do not fit into the width of a terminal follow below. In a file all columns are side by side
    and lines are not folded.
    """
    console = Console(file=file, highlight=False)
    if not console.is_terminal:
        console = Console(file=file, highlight=False, width=FILE_WIDTH)
    styled = console.is_terminal and not console.no_color
    for part in table.parts(console.width):
        console.print(_rich(part, styled))
    legend = emphasis_legend(table, "bold", "underlined") if styled else emphasis_legend(table, "*", "~")
    for line in filter(None, (table.caption, legend, *table.notes)):
        console.print(Padding(Text(line), (0, 1), expand=False))


def _rich(table: Table, styled: bool) -> RichTable:
    rich = RichTable(box=box.HORIZONTALS, pad_edge=False, show_edge=True)
    rich.add_column(Text(table.header), no_wrap=True)
    for column in table.columns:
        rich.add_column(Text(column.heading), justify="right", no_wrap=True)
    kind = None
    for row in table.rows:
        if row.kind is not kind:
            rich.add_section()
        kind = row.kind
        label = Text(row.label, style="" if kind is Kind.DATA else "italic")
        rich.add_row(label, *(_text(cell, styled) for cell in row.cells))
    return rich


def _text(cell: Cell, styled: bool) -> Text:
    if styled:
        return Text(cell.plain(), style=STYLES[cell.emphasis])
    return Text(cell.plain() + MARKS[cell.emphasis])
