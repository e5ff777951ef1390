"""`harness plot`: draws results as figures."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict, Unpack, get_args

import click

from harness.commands import completers
from harness.commands.options import (
    PATH,
    comma_list,
    only_option,
    published_option,
    score_option,
    select_option,
)
from harness.commands.results import behaviour_returns, load_selected, output_path
from harness.errors import HarnessError
from harness.reporting.catalogue import FIGURE_FORMATS, FIGURES, FONT, METRIC_FIGURE, WIDTH, Score, Spread

WITH_BEHAVIOUR = ("learning-curves", "scores", "returns", "worst-episode", "worst-evaluation")
"""Figures that show the score of the behaviour policy, which is computed from the data."""


class Appearance(TypedDict):
    """The options that `figures.Material` has by the same names."""

    reference: str | None
    error: Spread
    width: float
    font: str
    share_y: bool
    as_printed: bool


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@click.option(
    "--figure",
    "chosen",
    metavar="NAME",
    multiple=True,
    shell_complete=completers.figures,
    help=f"Draw only this figure: {', '.join(FIGURES)}, or {METRIC_FIGURE}METRIC for any metric of the "
    "learners, such as metric-critic_loss. May be repeated.",
)
@click.option(
    "--format",
    "formats",
    callback=comma_list(click.Choice(FIGURE_FORMATS)),
    default="png,pdf",
    metavar="F[,F]",
    help=f"Some of {', '.join(FIGURE_FORMATS)}.",
)
@click.option(
    "--width",
    type=click.FloatRange(2, 20),
    default=WIDTH,
    metavar="INCHES",
    help="Width of the text that the figures are printed in; no text in them is smaller than 7 points.",
)
@click.option("--font", default=FONT, metavar="NAME", help="Font of all text, such as Times New Roman.")
@click.option(
    "--error",
    type=click.Choice(get_args(Spread)),
    default="sd",
    help="Draw the standard deviation over seeds, the standard error or the 95 % t interval of the mean.",
)
@click.option("--share-y", is_flag=True, help="Use one scale for all learning curves in a row.")
@click.option("--as-printed", is_flag=True, help="Draw differences in per cent, as in the TD3+BC paper.")
@only_option
@score_option
@select_option
@published_option("Draw dashed levels of published scores")
@click.option(
    "--reference",
    metavar="ALGORITHM",
    shell_complete=completers.variants,
    help="Baseline of differences.",
    show_default="TD3+BC with the paper's hyper-parameters",
)
@click.option(
    "--output",
    type=PATH,
    metavar="DIR",
    help="Where to write the figures.",
    show_default="DIR/figures, or figures/ next to a file",
)
def plot(
    results: str,
    chosen: tuple[str, ...],
    formats: tuple[str, ...],
    only: tuple[str, ...],
    score: Score,
    select: str,
    published: tuple[str, ...],
    output: str | None,
    **appearance: Unpack[Appearance],
) -> None:
    """Draw results as figures.

    DIR is a results directory, or a CSV or parquet file. Draws the figures that these results allow, and
    writes their captions to captions.txt.
    """
    from matplotlib.font_manager import fontManager

    from harness.reporting import figures
    from harness.reporting.published import load_all
    from harness.reporting.published.shared import require_shared

    _require("font", appearance["font"], fontManager.get_font_names(), "font on this machine")
    sources = load_all(published)
    loaded = load_selected(results, select, score, only)
    require_shared([loaded], sources)
    if (reference := appearance["reference"]) is not None:
        _require("reference", reference, loaded.algorithms, "algorithm")
    known = figures.figure_names(loaded)
    for name in chosen:
        _require("figure", name, known, "figure", "; harness plot --help lists them")
    names = list(dict.fromkeys(chosen or known))
    behaviour = behaviour_returns(loaded) if {*names} & {*WITH_BEHAVIOUR} else {}
    material = figures.Material(loaded, score, sources, behaviour_returns=behaviour, **appearance)
    folder = output or output_path(results, "figures/x").parent
    written, left_out = figures.write(folder, material, names, formats)
    for path in written:
        print(path)
    for name, reason in left_out.items():
        if chosen:
            raise HarnessError(f"{results}: figure {name} cannot be drawn: {reason}")
        print(f"not drawn: {name} ({reason})")


def _require(option: str, name: str, known: Collection[str], what: str, hint: str = "") -> None:
    from harness.validation import nearest

    if name not in known:
        raise HarnessError(f"--{option} {name}: no such {what}{nearest(name, known) or hint}")
