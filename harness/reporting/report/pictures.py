"""The figures of a report as data URIs within a budget of bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from harness.errors import HarnessError
from harness.reporting import captions, catalogue, figures
from harness.reporting.figures import Drawing, Material
from harness.reporting.figures.style import COLUMN_WIDTH

BUDGET = 900_000
"""Bytes of all figures of one experiment, before they are encoded as base64."""
COLORS = 256
"""Colours of a rasterised figure: fewer would merge two algorithms, more make no visible difference."""


@dataclass(frozen=True)
class Picture:
    """A figure as vectors or as pixels."""

    name: str
    title: str
    caption: str
    drawing: Drawing
    kind: str
    content: bytes

    @property
    def source(self) -> str:
        """Return the data URI."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.content).decode()}"

    @property
    def narrow(self) -> bool:
        """Return whether it is drawn for a single column of a paper."""
        return self.drawing.figure.get_figwidth() <= COLUMN_WIDTH

    @property
    def folded(self) -> bool:
        """Return whether it is shown on request only, as are the many figures of single metrics."""
        return self.name.startswith(catalogue.METRIC_FIGURE)


def draw_pictures(material: Material) -> tuple[list[Picture], dict[str, str]]:
    """Draw every figure that the results allow, and give the reason by the title of each omitted one."""
    pictures, left_out = [], {}
    notes = tuple(captions.notes_on_trials(material.results, brief=True))
    for name in figures.figure_names(material.results):
        try:
            pictures.append(draw_picture(name, material, notes))
        except HarnessError as reason:
            left_out[catalogue.figure_title(name)] = str(reason)
    pictures, too_large = within(BUDGET, pictures)
    return pictures, left_out | too_large


def within(budget: int, vectors: Sequence[Picture]) -> tuple[list[Picture], dict[str, str]]:
    """Turn the largest figures into WebP, and then omit the last metrics, until all fit the budget."""
    pictures, left_out = list(vectors), {}

    def is_too_large() -> bool:
        return sum(len(one.content) for one in pictures) > budget

    for largest in sorted(pictures, key=lambda one: len(one.content), reverse=True):
        if is_too_large():
            pictures[pictures.index(largest)] = as_pixels(largest)
    for last in reversed([one for one in pictures if one.folded]):
        if is_too_large():
            pictures.remove(last)
            left_out[last.title] = f"it makes the page too large; harness plot --figure {last.name} draws it"
    return pictures, left_out


def draw_picture(name: str, material: Material, notes: Sequence[str] = ()) -> Picture:
    """Draw one figure as SVG; its caption leaves out the protocol and trials, which the page names once.

    Raises:
        HarnessError: if these results have nothing to draw in this figure.
    """
    drawing = figures.draw(name, material)
    caption = " ".join([drawing.caption, *notes])
    title = catalogue.figure_title(name)
    return Picture(name, title, caption, drawing, "svg+xml", figures.render(drawing, "svg"))


def as_pixels(picture: Picture) -> Picture:
    """Return a figure as lossless WebP at the resolution of `harness plot`."""
    image = Image.open(io.BytesIO(figures.render(picture.drawing, "png"))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB").save(buffer, "WEBP", lossless=True)
    return replace(picture, kind="webp", content=buffer.getvalue())
