"""Panels, and what is written around them: titles, labels of axes and rows, legends."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, cast

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.textpath import text_to_path
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator, NullFormatter

from harness.reporting.figures.style import COLUMN_WIDTH, SMALLEST

LINE = 0.13
"""Inches: the height of a line of the smallest text, with some air."""


def full_width() -> float:
    """Return the width of a figure that fills the text, in inches."""
    return float(mpl.rcParams["figure.figsize"][0])


def panels(count: int, height: float = 1.35, columns: int = 3) -> tuple[Figure, list[Axes]]:
    """Create a grid of `count` panels, as wide as the text; further cells stay empty.

    In the width of a column, at most two panels are side by side.
    """
    across = min(columns, count, 2 if full_width() <= COLUMN_WIDTH else columns)
    down = -(-count // across)
    width = full_width() if across > 1 else min(COLUMN_WIDTH, full_width())
    figure = Figure(figsize=(width, height * down + 0.25), layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).ravel())
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]


def single(height: float = 2.1) -> tuple[Figure, Axes]:
    """Create a single panel."""
    figure = Figure(figsize=(min(COLUMN_WIDTH, full_width()), height), layout="constrained")
    return figure, figure.subplots()


def wrapped(text: str, width: float, size: float) -> str:
    """Break a text into lines of at most `width` inches in the figure's font, at spaces if it has any."""
    drawn = _width(text, size)
    if drawn <= width:
        return text
    letters = max(1, int(0.95 * len(text) * width / drawn))
    lines = textwrap.wrap(text, letters, break_on_hyphens=False, break_long_words=False)
    return "\n".join(lines) if max(map(len, lines)) <= letters else textwrap.fill(text, letters)


def _width(text: str, size: float) -> float:
    """Return the width of a line of text in the figure's font, in inches."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return float(width) / 72


def title(axis: Axes, text: str) -> None:
    """Write a title above a panel, in several lines if it is wider than its column of the grid."""
    axis.set_title(_fitted(axis, text))


def _fitted(axis: Axes, text: str) -> str:
    figure = axis.get_figure(root=True)
    assert figure is not None
    return wrapped(text, figure.get_figwidth() / across([axis]) - 0.3, 8)


def name_rows(axis: Axes, names: Sequence[str], width: float | None = None) -> None:
    """Name the rows of a panel, the first on top; they are at most `width` inches wide."""
    labels = [wrapped(name, width or 0.3 * full_width(), SMALLEST) for name in names]
    axis.set_yticks(range(len(names)), labels)
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(False, axis="y")
    figure = axis.get_figure(root=True)
    assert figure is not None
    lines = [1 + label.count("\n") for label in labels]
    most = max((sum(pair) / 2 for pair in itertools.pairwise(lines)), default=1)  # neighbours share space
    figure.set_figheight(figure.get_figheight() + (most - 1) * len(names) * LINE / across([axis]))


def write_in_row(axis: Axes, row: int, text: str) -> None:
    """Write a text in the middle of a row that has nothing to draw."""
    place = {"xycoords": ("axes fraction", "data"), "va": "center", "ha": "center"}
    axis.annotate(text, (0.5, row), fontsize=SMALLEST, **cast(Any, place))


def row_panels(titles: Sequence[str], rows: Sequence[str], columns: int = 3) -> tuple[Figure, list[Axes]]:
    """Create panels that share named rows and the scale of x."""
    figure, axes = panels(len(titles), 0.26 + 0.15 * len(rows), columns)
    figure.set_figheight(figure.get_figheight() + 0.3)
    for index, axis in enumerate(axes):
        name_rows(axis, rows, 0.25 * full_width())
        axis.tick_params(axis="y", labelleft=index % across(axes) == 0)
        axis.locator_params(axis="x", nbins=4)
        axis.margins(x=0.08)
    lines = [line for label in axes[0].get_yticklabels() for line in label.get_text().split("\n")]
    names = max((_width(line, SMALLEST) for line in lines), default=0.0)
    width = (figure.get_figwidth() - names) / across(axes) - 0.15
    texts = [wrapped(text, width, 8) for text in titles]
    for axis, text in zip(axes, texts, strict=True):
        axis.set_title(text)
    most = max(text.count("\n") for text in texts)
    figure.set_figheight(figure.get_figheight() + most * LINE * -(-len(axes) // across(axes)))
    return figure, axes


def plain_numbers(axis: Axis) -> None:
    """Label the decades of a logarithmic axis with plain numbers."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def share_scale(axes: Sequence[Axes]) -> None:
    """Share the x scale of panels, with tick labels under the lowest of each column."""
    ends = [end for axis in axes for end in axis.get_xlim()]
    for axis in axes:
        axis.set_xlim(min(ends), max(ends))
    for axis in axes[: -across(axes)]:
        axis.tick_params(labelbottom=False)


def share_rows(axes: Sequence[Axes], labels: Sequence[str]) -> None:
    """Share the y scale of panels in each row of a grid if they measure the same."""
    for first in range(0, len(axes), across(axes)):
        row, measured = axes[first : first + across(axes)], labels[first : first + across(axes)]
        if len(set(measured)) == 1:
            ends = [end for axis in row for end in axis.get_ylim()]
            for axis in row:
                axis.set_ylim(min(ends), max(ends))


def across(axes: Sequence[Axes]) -> int:
    """Return the number of panels in a row of the grid."""
    specification = axes[0].get_subplotspec()
    return specification.get_gridspec().ncols if specification else 1


def label_panels(
    figure: Figure,
    axes: Sequence[Axes],
    titles: Sequence[str],
    left: str | Sequence[str],
    below: str,
    handles: Mapping[str, Artist],
) -> None:
    """Write the titles of panels, the labels of their axes, and one legend for all."""
    for axis, text in zip(axes, titles, strict=True):
        title(axis, text)
    label_left(axes, [left] * len(axes) if isinstance(left, str) else left)
    label_below(axes, below)
    legend_below(figure, list(handles.values()))


def label_below(axes: Sequence[Axes], label: str) -> None:
    """Label the x axis under the lowest panel of each column; equal scales have tick labels only there."""
    lowest = axes[-across(axes) :]
    for axis in lowest:
        axis.set_xlabel(_fitted(axis, label))
    if len({axis.get_xlim() for axis in axes}) == 1:
        for axis in axes[: -len(lowest)]:
            axis.tick_params(labelbottom=False)


def label_left(axes: Sequence[Axes], labels: Sequence[str]) -> None:
    """Label the y axes of the first column, or of all columns if they differ."""
    for index, (axis, label) in enumerate(zip(axes, labels, strict=True)):
        if index % across(axes) == 0 or len(set(labels)) > 1:
            axis.set_ylabel(label)


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put one legend for all panels into an empty cell of the grid if it fits, else below."""
    if not handles:
        return
    for handle in handles:
        handle.set_label(wrapped(str(handle.get_label()), figure.get_figwidth() - 0.8, 7.5))
    for cell in (axis for axis in figure.axes if not axis.axison):
        legend = cell.legend(handles=list(handles), loc="center left", borderaxespad=0)
        width, height = _size(figure, legend)
        room = cell.get_position().height * figure.get_figheight()
        if width < figure.get_figwidth() / across([cell]) - 0.3 and height < room:
            return
        legend.remove()
    for columns in range(len(handles), 0, -1):
        rows = -(-len(handles) // columns)
        if columns > 1 and -(-len(handles) // rows) < columns:
            continue  # fewer columns may give the same number of rows
        order = [handle for column in range(columns) for handle in handles[column::columns]]
        legend = figure.legend(handles=order, loc="outside lower center", ncols=columns)
        width, height = _size(figure, legend)
        if width < figure.get_figwidth() or columns == 1:
            break
        legend.remove()
    figure.set_figheight(figure.get_figheight() + height)


def _size(figure: Figure, legend: Legend) -> tuple[float, float]:
    """Return width and height in inches."""
    box = legend.get_window_extent(FigureCanvasAgg(figure).get_renderer())  # type: ignore[no-untyped-call]
    return box.width / figure.dpi, box.height / figure.dpi


def thousands(axes: Axes) -> None:
    """Write gradient steps as 200k or 1M."""
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
