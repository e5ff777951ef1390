"""Draws the panels of a film: a frame of an episode below a caption, and several of them in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Frame = NDArray[np.uint8]
"""[height, width, 3]"""
INK, PAPER, EDGE = (30, 30, 30), (255, 255, 255), (200, 200, 200)
LINE = 1.35
"""The height of a line of text, in font sizes."""


def panel(picture: Frame, lines: Sequence[str], height: int) -> Image.Image:
    """Return a picture, scaled to this height, below lines of text; sides are even, as MP4 requires."""
    scaled = Image.fromarray(picture)
    width = _even(picture.shape[1] * height / picture.shape[0])
    font = _font(max(10, height // 20))
    top = _even(LINE * font.size * len(lines) + 4)
    drawn = Image.new("RGB", (width, top + _even(height)), PAPER)
    drawn.paste(scaled.resize((width, _even(height)), Image.Resampling.BILINEAR), (0, top))
    draw = ImageDraw.Draw(drawn)
    for index, line in enumerate(lines):
        draw.text((4, 2 + index * LINE * font.size), _truncate(line, font, width - 8), INK, font)
    draw.rectangle((0, 0, drawn.width - 1, drawn.height - 1), outline=EDGE)
    return drawn


def grid(panels: Sequence[Image.Image]) -> Frame:
    """Return panels of equal size in a grid that is about square; up to three are side by side."""
    columns = math.ceil(math.sqrt(len(panels))) if len(panels) > 3 else len(panels)
    width, height = panels[0].size
    whole = Image.new("RGB", (columns * width, math.ceil(len(panels) / columns) * height), PAPER)
    for index, each in enumerate(panels):
        whole.paste(each, (index % columns * width, index // columns * height))
    return np.asarray(whole)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Load a font of matplotlib, which includes the Greek letters in names of variants."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)


def _truncate(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text}..."


def _even(size: float) -> int:
    return max(2, 2 * round(size / 2))
