"""The content of a table independent of its format: labelled rows of cells, a caption and notes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from harness.scores import mean_and_deviation

OURS = "Ours"
"""The group of our columns, next to published scores."""
DIFFERENCE = "Δ"
"""The prefix of the label of a column with differences from the column before it."""


class Emphasis(Enum):
    """How a cell is emphasised in its row."""

    NONE = ""
    BEST = "best"
    CLOSE = "close"


class Kind(Enum):
    """The kind of a row."""

    DATA = "data"
    SUBTOTAL = "subtotal"
    TOTAL = "total"


@dataclass(frozen=True)
class Cell:
    """A number and how it is shown.

    Attributes:
        value: NaN is shown as such; None if there is nothing to show.
        spread: the number after +-; None if there is none, as with a single seed.
        interval: low and high, shown in brackets.
        mark: follows the number, such as `2/5 seeds`.
        text: shown instead of a number; CSV and JSON contain the number, if there is one.
    """

    value: float | None = None
    spread: float | None = None
    interval: tuple[float, float] | None = None
    decimals: int = 1
    signed: bool = False
    emphasis: Emphasis = Emphasis.NONE
    mark: str = ""
    text: str = ""

    @classmethod
    def over_seeds(cls, values: NDArray[np.float64], mark: str = "", decimals: int = 1) -> Cell:
        """Return the mean over seeds ± their standard deviation, which a single seed does not have."""
        mean, deviation = mean_and_deviation(values) if len(values) else (None, None)
        return cls(mean, deviation if len(values) > 1 else None, decimals=decimals, mark=mark)

    @property
    def number(self) -> str:
        """The value as digits, the word NaN, or an empty string."""
        return "" if self.value is None else _digits(self.value, self.decimals, self.signed)

    @property
    def deviation(self) -> str:
        """The spread as digits; empty for a NaN, which has none."""
        known = self.spread is not None and not math.isnan(self.spread)
        return _digits(self.spread or 0.0, self.decimals, signed=False) if known else ""

    @property
    def brackets(self) -> str:
        """Return the interval, as `[1.2, 3.4]`."""
        if self.interval is None:
            return ""
        low, high = (_digits(end, self.decimals, self.signed) for end in self.interval)
        return f"[{low}, {high}]"

    def plain(self) -> str:
        """Return the cell as plain text."""
        number = f"{self.number} ± {self.deviation}" if self.deviation else self.number
        number = f"{number} {self.brackets}" if self.brackets else number
        return " ".join(filter(None, [self.text or number or "-", self.mark and f"({self.mark})"]))


@dataclass(frozen=True)
class Column:
    """A column of numbers; `key` is its name in CSV and JSON, `label` its name elsewhere."""

    key: str
    label: str
    group: str = ""
    """The heading above the labels of neighbouring columns that share it."""

    @property
    def heading(self) -> str:
        """The group and, on a line below, the label."""
        return f"{self.group}\n{self.label}" if self.group else self.label


@dataclass(frozen=True)
class Row:
    """A row of numbers; `key` is its name in CSV and JSON if it differs from `label`."""

    label: str
    cells: tuple[Cell, ...]
    kind: Kind = Kind.DATA
    key: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns; `header` is the heading of the first column, of the rows' labels."""

    name: str
    caption: str
    header: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    results: str = ""
    """The name of the results in the table, such as an experiment's name."""
    details: dict[str, object] = field(default_factory=dict)
    """Facts of the caption as values for JSON."""

    @property
    def width(self) -> int:
        """The width in characters, with room for a mark and a gap in each column."""
        columns = [[self.header, *(row.label for row in self.rows)]]
        for index, column in enumerate(self.columns):
            cells = [row.cells[index].plain() + " *" for row in self.rows]
            columns.append([*column.heading.split("\n"), *cells])
        return sum(max(map(len, column)) + 3 for column in columns)

    def part(self, first: int, end: int) -> Table:
        """Return the table with only these columns."""
        rows = tuple(replace(row, cells=row.cells[first:end]) for row in self.rows)
        return replace(self, columns=self.columns[first:end], rows=rows)

    def parts(self, width: int) -> Iterator[Table]:
        """Yield parts with as many columns as fit, at least one; a difference stays with its score."""
        first = 0
        for end in range(1, len(self.columns) + 1):
            more = self.columns[end : end + 2]
            together = 2 if len(more) == 2 and more[1].label.startswith(DIFFERENCE) else 1
            if more and more[0].label.startswith(DIFFERENCE):
                continue
            if not more or self.part(first, end + together).width > width:
                yield self.part(first, end)
                first = end


def emphasis_legend(table: Table, best: str, close: str) -> str:
    """Explain the emphasis in the table, by its names in a format; an empty string if there is none."""
    used = {cell.emphasis for row in table.rows for cell in row.cells}
    legend: list[str] = []
    if Emphasis.BEST in used:
        incomplete = any(  # marks of differences have another meaning
            cell.mark and not column.label.startswith(DIFFERENCE)
            for row in table.rows
            for column, cell in zip(table.columns, row.cells, strict=True)
        )
        cells = "'s complete cells" if incomplete else ""
        ours = " among ours" if any(column.group == OURS for column in table.columns) else ""
        legend.append(f"{best}: the best of a row{cells}{ours}")
    if Emphasis.CLOSE in used:
        legend.append(f"{close}: within one standard error of it (not marked in totals)")
    return f"{', '.join(legend)}." if legend else ""


def _digits(value: float, decimals: int, signed: bool) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    zero = f"{0:,.{decimals}f}"
    return zero if text in (f"-{zero}", f"+{zero}") else text
