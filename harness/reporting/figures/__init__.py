"""The figures by name, and writing them to files.

What figures share: drawing (their input and result), layout (panels, labels, legends), style.
Figures: curves, scores, aggregates, comparison, percent, sweep, instability, distributions, run_time,
samples, selection.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from PIL import Image

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.catalogue import METRIC_FIGURE, METRICS_WITH_THEIR_OWN_FIGURE
from harness.reporting.figures import (
    aggregates,
    comparison,
    curves,
    distributions,
    instability,
    run_time,
    samples,
    scores,
    selection,
    sweep,
)
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.style import style
from harness.reporting.results import Results
from harness.writing import write_bytes, write_text

mpl.use("Agg")  # Figures are only written to files, so that no display is needed.

FIGURES: dict[str, Callable[[Material], Drawing]] = {
    "learning-curves": curves.learning_curves,
    "iqm": curves.iqm_curves,
    "scores": scores.score_points,
    "intervals": aggregates.interval_estimates,
    "profiles": aggregates.profiles,
    "improvement": aggregates.improvement,
    "comparison": comparison.comparison,
    "sensitivity": sweep.sensitivity,
    "sensitivity-differences": sweep.sensitivity_differences,
    "mixtures": sweep.mixture_shares,
    "worst-episode": instability.worst_episode,
    "worst-evaluation": instability.worst_evaluation,
    "returns": distributions.return_distributions,
    "q-values": curves.q_values,
    "predicted-values": curves.predicted_values,
    "run-time": run_time.run_time_bars,
    "online-performance": selection.online_performance,
    "selection-cost": selection.selection_cost,
    "responses": samples.responses,
    "parallel-coordinates": samples.parallel_coordinates,
}

CAPTIONS = "captions.txt"

_NO_DATES = {"pdf": dict.fromkeys(["CreationDate", "ModDate"]), "svg": {"Date": None}}


def draw(name: str, material: Material) -> Drawing:
    """Draw a figure, laid out once for all formats, because layout takes as long as drawing.

    Raises:
        HarnessError: if these results have nothing to draw in this figure.
    """
    with style(material.width, material.font):
        try:
            metric = name.removeprefix(METRIC_FIGURE)
            drawing = FIGURES[name](material) if name in FIGURES else curves.metric_curves(material, metric)
        except HarnessError as error:
            raise HarnessError(str(error).removeprefix(f"{material.results.source}: ")) from None
        if layout := drawing.figure.get_layout_engine():
            layout.execute(drawing.figure)
        drawing.figure.set_layout_engine(None)  # with a layout engine, saving would draw everything again
    return drawing


def figure_names(results: Results) -> list[str]:
    """Return the names of all figures, with one for each metric that the results have."""
    own = [f"{METRIC_FIGURE}{name}" for name in results.metrics if name not in METRICS_WITH_THEIR_OWN_FIGURE]
    return [*FIGURES, *own]


def render(drawing: Drawing, file_format: str) -> bytes:
    """Return the bytes of a file, equal for equal results: it contains no date."""
    buffer = io.BytesIO()
    with style():
        drawing.figure.savefig(buffer, format=file_format, metadata=_NO_DATES.get(file_format))
    if file_format != "png":
        return buffer.getvalue()
    image, small = Image.open(buffer), io.BytesIO()  # 64 colours look the same and take a quarter of the size
    image.convert("RGB").quantize(64).save(small, "PNG", optimize=True, dpi=image.info["dpi"])
    return small.getvalue()


def write(
    folder: Path | str, material: Material, names: Sequence[str], formats: Sequence[str]
) -> tuple[list[Path], dict[str, str]]:
    """Draw figures into FOLDER/NAME.FORMAT, and add their captions to FOLDER/captions.txt.

    Return the files, and for each figure that cannot be drawn the reason.
    """
    folder = Path(folder)
    captions_file = folder / CAPTIONS
    lines = captions_file.read_text(encoding="utf-8").splitlines() if captions_file.is_file() else []
    caption_of = dict(line.split(": ", 1) for line in lines if ": " in line)
    written, left_out = [], {}
    for name in names:
        try:
            drawing = draw(name, material)
        except HarnessError as reason:
            left_out[name] = str(reason)
            continue
        caption_of[name] = captions.of_figure(drawing.results or material.results, drawing.caption)
        for file_format in formats:
            path = folder / f"{name.replace('/', '_')}.{file_format}"  # a metric such as `loss/actor`
            write_bytes(path, render(drawing, file_format))
            written.append(path)
    if written:
        order = [*FIGURES, *sorted(name for name in caption_of if name not in FIGURES)]
        lines = [f"{name}: {caption_of[name]}\n" for name in order if name in caption_of]
        write_text(captions_file, "\n".join(lines))
    return written, left_out


__all__ = ["FIGURES", "Drawing", "Material", "draw", "figure_names", "render", "write"]
