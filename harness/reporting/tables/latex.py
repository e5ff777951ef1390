"""A table as LaTeX: a `table` float that needs booktabs and nothing else, with a caption."""

from __future__ import annotations

import re

from harness.reporting.tables.model import Cell, Column, Emphasis, Kind, Row, Table, emphasis_legend

_SPECIAL = {
    "\\": r"\textbackslash{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "✓": r"$\checkmark$",
    "Δ": r"$\Delta$",
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$",
    "λ": r"$\lambda$",
    "τ": r"$\tau$",
    "≤": r"$\leq$",
    "→": r"$\to$",
}
_ANY_SPECIAL = re.compile("|".join(map(re.escape, _SPECIAL)))


def to_latex(table: Table) -> str:
    """Needs `\\usepackage{booktabs}`; ticks need `\\usepackage{amssymb}` too."""
    packages = r"booktabs, amssymb" if "✓" in _all_text(table) else "booktabs"
    return "\n".join(
        [
            f"% \\usepackage{{{packages}}}",
            r"\begin{table}[t]",
            r"\centering",
            r"\small",
            rf"\caption{{{escaped(_caption(table))}}}",
            rf"\label{{tab:{re.sub('[^a-z0-9-]', '-', table.name.lower())}}}",
            rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
            r"\toprule",
            *_groups(table.columns),
            _line([escaped(table.header), *(escaped(column.label) for column in table.columns)]),
            r"\midrule",
            *_rows(table.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    return _ANY_SPECIAL.sub(lambda match: _SPECIAL[match.group()], text)


def _all_text(table: Table) -> str:
    return table.caption + "".join(cell.mark for row in table.rows for cell in row.cells)


def _caption(table: Table) -> str:
    legend = emphasis_legend(table).format(best="Bold", close="underlined")
    return " ".join([table.caption, *([f"{legend}."] if legend else []), *table.notes])


def _groups(columns: tuple[Column, ...]) -> list[str]:
    """The line of group names above the columns, with a rule under each."""
    if not any(column.group for column in columns):
        return []
    spans: list[tuple[str, int, int]] = []
    for position, column in enumerate(columns, start=2):
        if spans and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1], position)
        else:
            spans.append((column.group, position, position))
    names = [rf"\multicolumn{{{last - first + 1}}}{{c}}{{{escaped(name)}}}" for name, first, last in spans]
    rules = [rf"\cmidrule(lr){{{first}-{last}}}" for name, first, last in spans if name]
    return [_line(["", *names]), "".join(rules)]


def _rows(rows: tuple[Row, ...]) -> list[str]:
    lines = []
    for index, row in enumerate(rows):
        if index and rows[index - 1].kind is not row.kind:
            lines.append(r"\midrule")
        label = escaped(row.label)
        lines.append(
            _line([label if row.kind is Kind.DATA else rf"\textit{{{label}}}", *map(_cell, row.cells)])
        )
    return lines


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    mark = f" {escaped(f'({cell.mark})')}" if cell.mark else ""
    if cell.value is None:
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
