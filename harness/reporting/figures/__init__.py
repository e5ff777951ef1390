"""The figures by name, and writing them to files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import matplotlib as mpl
from PIL import Image

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.catalogue import METRIC_FIGURE, METRICS_WITH_THEIR_OWN_FIGURE
from harness.reporting.figures.aggregates import improvement, interval_estimates, profiles
from harness.reporting.figures.comparison import comparison
from harness.reporting.figures.curves import (
    iqm_curves,
    learning_curves,
    metric_curves,
    predicted_values,
    q_values,
)
from harness.reporting.figures.distributions import return_distributions
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.instability import worst_episode, worst_evaluation
from harness.reporting.figures.mixtures import mixture_shares
from harness.reporting.figures.run_time import run_time_bars
from harness.reporting.figures.samples import parallel_coordinates, responses
from harness.reporting.figures.scores import score_points
from harness.reporting.figures.selection import online_performance, selection_cost
from harness.reporting.figures.style import style
from harness.reporting.figures.sweep import sensitivity, sensitivity_differences
from harness.reporting.results import Results
from harness.writing import write_bytes, write_text

mpl.use("Agg")  # Figures are only written to files, so that no display is needed.

FIGURES: dict[str, Callable[[Material], Drawing]] = {
    "learning-curves": learning_curves,
    "iqm": iqm_curves,
    "scores": score_points,
    "intervals": interval_estimates,
    "profiles": profiles,
    "improvement": improvement,
    "comparison": comparison,
    "sensitivity": sensitivity,
    "sensitivity-differences": sensitivity_differences,
    "mixtures": mixture_shares,
    "worst-episode": worst_episode,
    "worst-evaluation": worst_evaluation,
    "returns": return_distributions,
    "q-values": q_values,
    "predicted-values": predicted_values,
    "run-time": run_time_bars,
    "online-performance": online_performance,
    "selection-cost": selection_cost,
    "responses": responses,
    "parallel-coordinates": parallel_coordinates,
}

CAPTIONS = "captions.txt"

_NO_DATES: dict[str, dict[str, None]] = {
    "png": {},
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
}


def draw(name: str, material: Material) -> Drawing:
    """Draw a figure, laid out once for all formats, because layout takes as long as drawing.

    Raises:
        HarnessError: if these results have nothing to draw in this figure.
    """
    with style(material.width, material.font):
        try:
            function = FIGURES.get(name) or partial(metric_curves, metric=name.removeprefix(METRIC_FIGURE))
            drawing = function(material)
        except HarnessError as error:
            raise HarnessError(str(error).removeprefix(f"{material.results.source}: ")) from None
        layout = drawing.figure.get_layout_engine()
        if layout is not None:
            layout.execute(drawing.figure)
        drawing.figure.set_layout_engine(None)  # with a layout engine, saving would draw everything again
    return drawing


def figure_names(results: Results) -> list[str]:
    """Return the names of all figures, with one for each metric that the results have."""
    own = [f"{METRIC_FIGURE}{name}" for name in results.metrics if name not in METRICS_WITH_THEIR_OWN_FIGURE]
    return [*FIGURES, *own]


def render(drawing: Drawing, file_format: str) -> bytes:
    """Return the bytes of a file, equal for equal results: it contains no date. PNGs have a palette."""
    buffer = io.BytesIO()
    with style():
        drawing.figure.savefig(buffer, format=file_format, metadata=_NO_DATES[file_format])
    return _with_palette(buffer) if file_format == "png" else buffer.getvalue()


def _with_palette(png: io.BytesIO) -> bytes:
    """Reduce a picture to 64 colours, which makes it a quarter as large and looks the same."""
    image = Image.open(png)
    small = io.BytesIO()
    image.convert("RGB").quantize(64).save(small, "PNG", optimize=True, dpi=image.info["dpi"])
    return small.getvalue()


def write(
    folder: Path | str, material: Material, names: Sequence[str], formats: Sequence[str]
) -> tuple[list[Path], dict[str, str]]:
    """Draw figures into FOLDER/NAME.FORMAT, and add their captions to FOLDER/captions.txt.

    Returns:
        The files, and for each figure that cannot be drawn the reason.
    """
    folder = Path(folder)
    caption_of = _captions(folder / CAPTIONS)
    written, left_out = [], {}
    for name in names:
        try:
            drawing = draw(name, material)
        except HarnessError as reason:
            left_out[name] = str(reason)
            continue
        caption = captions.of_figure(drawing.results or material.results, drawing.caption)
        caption_of[name] = " ".join(caption.split())  # names may hold line breaks
        for file_format in formats:
            path = folder / f"{name.replace('/', '_')}.{file_format}"  # a metric such as `loss/actor`
            write_bytes(path, render(drawing, file_format))
            written.append(path)
    if written:
        order = [*FIGURES, *sorted(name for name in caption_of if name not in FIGURES)]
        lines = (f"{name}: {caption_of[name]}\n" for name in order if name in caption_of)
        write_text(folder / CAPTIONS, "\n".join(lines))
    return written, left_out


def _captions(path: Path) -> dict[str, str]:
    """Return the captions that the file already has, by figure."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        lines = []
    return dict(line.split(": ", 1) for line in lines if ": " in line)


__all__ = [
    "FIGURES",
    "Drawing",
    "Material",
    "draw",
    "figure_names",
    "render",
    "write",
]
