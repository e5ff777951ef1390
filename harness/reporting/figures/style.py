"""The one look of all figures: sizes for a paper; colours and marks for colour-blind eyes and for grey."""

from __future__ import annotations

import itertools
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import matplotlib as mpl
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import EngFormatter, MaxNLocator

from harness.reporting.names import algorithm_label, canonical_algorithm

COLUMN_WIDTH, TEXT_WIDTH = 3.3, 6.75
"""Of a two-column paper, in inches."""

COLORS = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#882255", "#949494", "#332288", "#56b4e9"),
)
"""Seaborn's for colour-blind eyes, dark ones for the two that cannot be seen on white."""
MARKERS = "osD^vPX*<>"
HATCHES = ("", "////", "....", "xxxx", "----", "\\\\\\\\", "oo", "++", "||||", "**")
LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (6, 1, 1, 1, 1, 1)))
LONGEST_IN_COLUMN, LONGEST_TITLE = 30, 30
"""Characters of a label, and of a panel's title."""
LEGEND_ROW = 0.17
"""Inches."""
PUBLISHED_LINES: tuple[Any, ...] = (
    *((0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)), (0, (1, 2))),
    *((0, (8, 2, 1, 2, 1, 2)), (0, (14, 3)), (0, (3, 1, 3, 4)), (0, (1, 5))),
)


ALWAYS = ("td3bc", "td3", "bc")
"""They look the same in every figure, whatever else there is; others take the places after them."""


class Look(NamedTuple):
    label: str
    color: str
    marker: str
    line: Any
    hatch: str


def looks(algorithms: Sequence[str]) -> dict[str, Look]:
    """Algorithms differ by colour, marker, line and hatch, so that any one of these may be lost."""
    return {
        name: Look(
            algorithm_label(name),
            COLORS[place % 10],
            MARKERS[(place + place // 10) % 10],
            LINES[(place + place // 10) % len(LINES)],
            HATCHES[(place + place // 10) % 10],
        )
        for name, place in _places(algorithms).items()
    }


def _places(algorithms: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    further = itertools.count(len(ALWAYS))
    for name in algorithms:
        canonical = canonical_algorithm(name)
        place = ALWAYS.index(canonical) if canonical in ALWAYS else next(further)
        places[name] = next(further) if place in places.values() else place
    return places


@contextmanager
def style() -> Iterator[None]:
    settings: dict[str, Any] = {
        **sns.axes_style("ticks"),
        **sns.plotting_context("paper"),
        "axes.grid": True,
        "axes.labelsize": 8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 8,
        "axes.titlepad": 4,
        "figure.dpi": 200,
        "font.size": 8,
        "font.family": "DejaVu Sans",
        "grid.color": "0.9",
        "grid.linewidth": 0.5,
        "hatch.linewidth": 0.6,
        "legend.fontsize": 7.5,
        "legend.frameon": False,
        "lines.linewidth": 1.3,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "harness",
        "text.parse_math": False,  # names from files may hold dollars
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
    }
    with mpl.rc_context(cast(Any, settings)), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # matplotlib's, such as of a glyph that no font has
        yield


def panels(count: int, height: float = 1.7, columns: int = 3) -> tuple[Figure, list[Axes]]:
    """A grid with a panel for each of `count`, as wide as the text."""
    across = min(columns, count)
    down = -(-count // across)
    width = TEXT_WIDTH if across > 1 else COLUMN_WIDTH
    figure = Figure(figsize=(width, height * down + 0.35), layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).ravel())
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]


def single(labels: Iterable[str], height: float = 2.2) -> tuple[Figure, Axes]:
    """One panel that fits a column, or the whole text where one of the labels beside or below it is long."""
    width = COLUMN_WIDTH if max(map(len, labels), default=0) <= LONGEST_IN_COLUMN else TEXT_WIDTH
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def title(axis: Axes, dataset: str) -> None:
    """The dataset's name, small and in several lines where it is too long for a third of the text's width."""
    lines = textwrap.wrap(dataset.removeprefix("minari:"), LONGEST_TITLE * 4 // 3)
    axis.set_title("\n".join(lines), fontsize=8 * min(1.0, LONGEST_TITLE / max(map(len, lines), default=1)))


def name_rows(figure: Figure, axis: Axes, algorithms: Iterable[str]) -> None:
    """Beside horizontal bars; long names take several lines, and the figure grows to hold them."""
    names = [textwrap.wrap(algorithm_label(name), LONGEST_IN_COLUMN) for name in algorithms]
    axis.set_yticks(range(len(names)), map("\n".join, names))
    more = max(map(len, names), default=1) - 1
    figure.set_figheight(figure.get_figheight() + more * len(names) * 0.13)


def across(axes: Sequence[Axes]) -> int:
    """Panels in a row of the grid."""
    specification = axes[0].get_subplotspec()
    return specification.get_gridspec().ncols if specification else 1


def label_below(axes: Sequence[Axes], label: str) -> None:
    """Name the x axis under the lowest panel of each column, and number it there alone where all agree."""
    lowest = axes[-across(axes) :]
    for axis in lowest:
        axis.set_xlabel(label)
    if len({axis.get_xlim() for axis in axes}) == 1:
        for axis in axes[: -len(lowest)]:
            axis.tick_params(labelbottom=False)


def label_left(axes: Sequence[Axes], labels: Sequence[str]) -> None:
    """Name the y axes of the first column, or all where they differ."""
    for index, (axis, label) in enumerate(zip(axes, labels, strict=True)):
        if index % across(axes) == 0 or len(set(labels)) > 1:
            axis.set_ylabel(label)


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """One legend for all panels, in even rows read from left to right; the figure grows to hold them."""
    if not handles:
        return
    for handle in handles:
        label = str(handle.get_label())
        letter = _width(label) / max(1, len(label))
        handle.set_label(textwrap.fill(label, max(1, int((figure.get_figwidth() - 0.6) / letter))))
    lines = [str(handle.get_label()).split("\n") for handle in handles]
    widest = max(_width(line) for of in lines for line in of)
    fitting = max(1, int(figure.get_figwidth() / (0.5 + widest)))
    rows = -(-len(handles) // fitting)
    columns = -(-len(handles) // rows)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW * (rows * max(map(len, lines)) - 1))
    figure.legend(
        handles=[handle for column in range(columns) for handle in handles[column::columns]],
        loc="outside lower center",
        ncols=columns,
        handlelength=2.6,
        columnspacing=1.2,
    )


def _width(text: str) -> float:
    """In inches, of a label in a legend; capitals are wider than most letters."""
    font = FontProperties(family="DejaVu Sans", size=7.5)
    drawn = TextPath((0, 0), text, prop=font).get_extents().width / 72 if text.strip() else 0.0
    return max(0.056 * max(1, len(text)), float(drawn))


def thousands(axes: Axes) -> None:
    """Gradient steps as 200k or 1M."""
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
