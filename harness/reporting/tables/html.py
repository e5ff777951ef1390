"""Tables as HTML without scripts, with all text escaped. The report styles and sorts them."""

from __future__ import annotations

import itertools
import math
from html import escape

from harness.reporting.tables.model import Cell, Column, Row, Table, emphasis_legend

LONG = 24
"""The length of a cell's text from which it may be broken into lines."""
STYLE = """\
table.scores { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.scores caption { caption-side: bottom; text-align: left; font-size: 0.85em; padding-top: 0.5em; }
table.scores th, table.scores td { padding: 0.2em 0.8em; text-align: right; white-space: nowrap; }
table.scores th:first-child { text-align: left; }
table.scores thead { border-top: 2px solid; border-bottom: 1px solid; }
table.scores tbody { border-bottom: 2px solid; }
table.scores tr.subtotal, table.scores tr.total { font-style: italic; border-top: 1px solid; }
table.scores td.words { white-space: normal; min-width: 11em; }
table.scores td.best { font-weight: bold; }
table.scores td.close { text-decoration: underline; }
"""


def to_html(table: Table) -> str:
    """Write a whole page with only the table."""
    title = ": ".join(filter(None, [table.results, table.name]))
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n{table_element(table)}</html>\n"
    )


def table_element(table: Table) -> str:
    """Return the `<table>`; cells carry their full-precision number in data-value."""
    legend = emphasis_legend(table, "Bold", "underlined")
    caption = " ".join(filter(None, [table.caption, legend, *table.notes]))
    labels = [table.header, *(column.label for column in table.columns)]
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    body = "\n".join(map(_row, table.rows))
    return (
        f'<table class="scores">\n<caption><span>{escape(caption)}</span></caption>\n'
        f"<thead>\n{_groups(table.columns)}<tr>{heads}</tr>\n</thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n"
    )


def _groups(columns: tuple[Column, ...]) -> str:
    if not any(column.group for column in columns):
        return ""
    cells = "".join(
        f'<th colspan="{len(list(group))}" scope="colgroup">{escape(name)}</th>'
        for name, group in itertools.groupby(column.group for column in columns)
    )
    return f'<tr class="groups"><td></td>{cells}</tr>\n'


def _row(row: Row) -> str:
    kind = f' class="{row.kind.value}"' if row.kind.value != "data" else ""
    return f'<tr{kind}><th scope="row">{escape(row.label)}</th>{"".join(map(_cell, row.cells))}</tr>'


def _cell(cell: Cell) -> str:
    classes = cell.emphasis.value or ("words" if len(cell.text) + len(cell.mark) > LONG else "")
    style = f' class="{classes}"' if classes else ""
    known = cell.value is not None and math.isfinite(cell.value)
    value = f' data-value="{cell.value!r}"' if known else ""
    return f"<td{style}{value}>{escape(cell.plain())}</td>"
