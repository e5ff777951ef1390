"""Tables as LaTeX: floats with captions that need booktabs and graphicx (and amssymb for ticks)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from harness.reporting.names import GREEK
from harness.reporting.tables.model import Cell, Column, Emphasis, Kind, Row, Table, emphasis_legend

CAPITALS = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega")
_SPECIAL: dict[str, str | int | None] = {
    "\\": r"\textbackslash{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "✓": r"$\checkmark$",
    **{symbol: rf"$\{name}$" for symbol, name in GREEK.items()},
    **{symbol: rf"$\{name}$" for symbol, name in zip("ΓΔΘΛΞΠΣΦΨΩ", CAPITALS, strict=True)},
    "\N{MINUS SIGN}": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "→": r"$\to$",
}
"""What LaTeX cannot read as it is; accents and dashes it can."""

COLUMN_WIDTH = 55
"""Characters that fit into a column of a two-column paper."""
WIDEST = 110
"""Characters that are still legible when they are shrunk to the width of the text."""
LINES_PER_PAGE = 42
CHARACTERS_PER_LINE = 95


def to_latex(table: Table) -> str:
    """Write the table as one or more floats, each at most a page long and as wide as the text."""
    room = max(10, LINES_PER_PAGE - max(_lines([_caption(table)]), _lines(table.notes)))
    pages = max(1, -(-len(table.rows) // room))
    length = max(1, -(-len(table.rows) // pages))
    parts = [
        (part, part.rows[page * length : (page + 1) * length])
        for part in table.parts(WIDEST)
        for page in range(pages)
    ]
    floats = [
        _float(table, part, rows, first=number == 1, last=number == len(parts))
        for number, (part, rows) in enumerate(parts, start=1)
    ]
    packages = "booktabs, graphicx" + ", amssymb" * any(r"\checkmark" in one for one in floats)
    return "\n".join([f"% \\usepackage{{{packages}}}", *floats])


def _lines(texts: Sequence[str]) -> int:
    return sum(-(-len(text) // CHARACTERS_PER_LINE) for text in texts)


def _float(table: Table, part: Table, rows: tuple[Row, ...], first: bool, last: bool) -> str:
    """Return a float, across both columns of a two-column paper if one is too narrow (`table*`)."""
    environment = "table*" if part.width > COLUMN_WIDTH else "table"
    label = re.sub("[^a-z0-9]+", "-", f"{table.results} {table.name}".lower()).strip("-")
    title = [rf"\caption{{{escaped(_caption(table))}}}", rf"\label{{tab:{label}}}"]
    again = [r"\addtocounter{table}{-1}", r"\caption{(continued)}"]
    notes = escaped(" ".join(table.notes)) if last else ""
    return "\n".join(
        [
            rf"\begin{{{environment}}}[tp]",
            r"\centering",
            r"\small",
            *(title if first else again),
            r"\smallskip",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * len(part.columns)}}}",
            r"\toprule",
            *_groups(part.columns),
            _line([escaped(table.header), *(escaped(column.label) for column in part.columns)]),
            r"\midrule",
            *_rows(rows),
            r"\bottomrule",
            r"\end{tabular}}",
            *([rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize {notes}}}"] if notes else []),
            rf"\end{{{environment}}}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Escape characters that are special in LaTeX."""
    return text.translate(str.maketrans(_SPECIAL))


def _caption(table: Table) -> str:
    return " ".join(filter(None, [table.caption, emphasis_legend(table, "Bold", "underlined")]))


def _groups(columns: tuple[Column, ...]) -> list[str]:
    """Return the line of group names above the columns, with a rule under each."""
    if not any(column.group for column in columns):
        return []
    names, rules, first = [""], "", 2
    for name, group in itertools.groupby(column.group for column in columns):
        width = len(list(group))
        names.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(name)}}}")
        rules += rf"\cmidrule(lr){{{first}-{first + width - 1}}}" if name else ""
        first += width
    return [_line(names), rules]


def _rows(rows: tuple[Row, ...]) -> list[str]:
    lines = []
    for index, row in enumerate(rows):
        if index and rows[index - 1].kind is not row.kind:
            lines.append(r"\midrule")
        label = escaped(row.label) if row.kind is Kind.DATA else rf"\textit{{{escaped(row.label)}}}"
        lines.append(_line([label, *map(_cell, row.cells)]))
    return lines


def _line(cells: list[str]) -> str:
    guard = "{}" if cells[0].startswith(("[", "*")) else ""  # else an argument of the line before
    return guard + " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    mark = f" {escaped(f'({cell.mark})')}" if cell.mark else ""
    if cell.text or cell.value is None:
        return (escaped(cell.text) or "--") + mark
    number = _mathematics(cell)
    match cell.emphasis:
        case Emphasis.BEST:
            number = rf"$\mathbf{{{number}}}$"
        case Emphasis.CLOSE:
            number = rf"\underline{{${number}$}}"
        case Emphasis.NONE:
            number = f"${number}$"
    return number + mark


def _mathematics(cell: Cell) -> str:
    number = cell.number.replace(",", "{,}").replace("NaN", r"\mathrm{NaN}").replace("inf", r"\infty")
    deviation = cell.deviation.replace(",", "{,}").replace("NaN", r"\mathrm{NaN}")
    brackets = cell.brackets.replace(",", "{,}").replace("{,} ", r",\ ")
    number = rf"{number} \pm {deviation}" if deviation else number
    return rf"{number}\ {brackets}" if brackets else number
