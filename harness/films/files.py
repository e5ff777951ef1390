"""Writes films as MP4 or GIF."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from harness.errors import HarnessError
from harness.films.film import Film
from harness.films.panels import Frame
from harness.writing import written_whole

QUALITY = 7
"""The quality of MP4 files, from 0 to 10."""


def check_format(path: str) -> None:
    """Check that a film can be written in the format of this file name."""
    _writer(Path(path))


def write_film(film: Film, path: str | Path) -> None:
    """Write a film to an .mp4 or .gif file, which appears whole or not at all."""
    write = _writer(Path(path))
    with written_whole(Path(path)) as temporary:
        write(film, temporary)


def has_mp4() -> bool:
    """Return whether MP4 can be written here."""
    return find_spec("imageio_ffmpeg") is not None


def _writer(path: Path) -> Callable[[Film, Path], None]:
    match path.suffix.lower():
        case ".gif":
            return _write_gif
        case ".mp4" if has_mp4():
            return _write_mp4
        case ".mp4":
            raise HarnessError(
                f"{path}: MP4 requires the package imageio-ffmpeg: pip install 'offline-rl-harness[film]'; "
                "or write a .gif"
            )
    raise HarnessError(f"{path}: unsupported format; write an .mp4 or .gif file")


def _write_gif(film: Film, path: Path) -> None:
    frames = map(_with_palette, film.frames)
    first = next(frames)
    first.save(
        path,
        "GIF",
        save_all=True,
        append_images=frames,
        duration=round(1000 / film.frames_per_second),
        loop=0,
    )


def _with_palette(frame: Frame) -> Image.Image:
    return Image.fromarray(frame).quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _write_mp4(film: Film, path: Path) -> None:
    import imageio_ffmpeg

    first = next(film.frames)
    height, width, _ = first.shape
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=film.frames_per_second,
        quality=QUALITY,
        macro_block_size=2,
        output_params=["-f", "mp4", "-movflags", "+faststart"],
    )
    writer.send(None)
    try:
        for frame in chain([first], film.frames):
            writer.send(np.ascontiguousarray(frame))
    finally:
        writer.close()
