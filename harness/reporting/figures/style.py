"""The style of figures: sizes for papers, colours and marks for colour-blind readers and greyscale."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import matplotlib as mpl
import seaborn as sns

from harness.reporting.catalogue import FONT, WIDTH
from harness.reporting.names import algorithm_label, canonical_algorithm

SMALLEST = 7
"""Points: no text is smaller at the width at which the figure is drawn."""
COLUMN_WIDTH = 3.3
"""Inches: one column of a two-column paper, and the width of a single panel."""

COLORS = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#882255", "#949494", "#332288", "#56b4e9"),
)
"""Seaborn's colour-blind palette, with darker colours for the two that are too pale on white."""
MARKERS = "osD^vPX*<>"
HATCHES = ("", "////", "....", "xxxx", "----", "\\\\\\\\", "oo", "++", "||||", "**")
LINES: tuple[Any, ...] = (
    *("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (6, 1, 1, 1, 1, 1))),
    *((0, (8, 2)), (0, (2, 2)), (0, (8, 1.5, 2, 1.5)), (0, (1, 2.5)), (0, (3, 1, 3, 1, 1, 1))),
)
PUBLISHED_LINES: tuple[Any, ...] = (
    *((0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)), (0, (1, 2))),
    *((0, (8, 2, 1, 2, 1, 2)), (0, (14, 3)), (0, (3, 1, 3, 4)), (0, (1, 5))),
)


ALWAYS = ("td3bc", "td3", "bc")
"""Algorithms that look the same in every figure; all others follow after them."""


class Look(NamedTuple):
    """The look of a variant in every figure."""

    label: str
    color: str
    marker: str
    line: Any
    hatch: str

    @property
    def curve(self) -> dict[str, Any]:
        """Return keyword arguments of `plot` for a labelled curve with this look."""
        return {"color": self.color, "linestyle": self.line, "marker": self.marker, "label": self.label}


def looks(algorithms: Sequence[str], titles: Mapping[str, str] | None = None) -> dict[str, Look]:
    """Assign looks that differ in colour, marker, line and hatch, since print may lose any of these."""
    found = {}
    for name, place in _places(algorithms).items():
        label, turn = (titles or {}).get(name) or algorithm_label(name), (place + place // 10) % 10
        found[name] = Look(label, COLORS[place % 10], MARKERS[turn], LINES[turn], HATCHES[turn])
    return found


def _places(algorithms: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    further = itertools.count(len(ALWAYS))
    for name in algorithms:
        canonical = canonical_algorithm(name)
        place = ALWAYS.index(canonical) if canonical in ALWAYS else next(further)
        places[name] = next(further) if place in places.values() else place
    return places


@contextmanager
def style(width: float = WIDTH, font: str = FONT) -> Iterator[None]:
    """Draw figures of this width in inches, in this font, with text of at least `SMALLEST` points."""
    settings: dict[str, Any] = {
        **sns.axes_style("ticks"),
        **sns.plotting_context("paper"),
        "axes.axisbelow": True,
        "axes.edgecolor": "0.4",
        "axes.grid": True,
        "axes.labelsize": 8,
        "axes.linewidth": 0.6,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 8,
        "axes.titlepad": 3,
        "figure.constrained_layout.h_pad": 0.03,
        "figure.constrained_layout.w_pad": 0.03,
        "figure.dpi": 200,
        "figure.figsize": (width, width),
        "figure.labelsize": 8,
        "font.size": 8,
        "font.family": [font, FONT],  # the second font has glyphs that the first lacks
        "grid.color": "0.92",
        "grid.linewidth": 0.5,
        "hatch.linewidth": 0.6,
        "legend.columnspacing": 1.2,
        "legend.fontsize": 7.5,
        "legend.frameon": False,
        "legend.handlelength": 2.2,
        "lines.linewidth": 1.2,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "harness",
        "text.parse_math": False,  # names from files may contain dollar signs
        "xtick.labelsize": SMALLEST,
        "xtick.major.size": 2.5,
        "xtick.major.width": 0.6,
        "ytick.labelsize": SMALLEST,
        "ytick.major.size": 2.5,
        "ytick.major.width": 0.6,
    }
    with mpl.rc_context(cast(Any, settings)), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # such as for a glyph that no font has
        yield
