import sys

import numpy as np
import pytest
from PIL import Image

from harness.errors import HarnessError
from harness.films.files import check_format, write_film
from harness.films.film import Film


def made(frames=5, fps=10.0):
    pictures = (np.full((32, 48, 3), 40 * index, np.uint8) for index in range(frames))
    return Film(pictures, fps)


def test_write_film_gif_has_every_frame_and_repeats(tmp_path):
    write_film(made(), tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert (film.format, film.size, film.n_frames) == ("GIF", (48, 32), 5)
        assert film.info["duration"] == 100
        assert film.info["loop"] == 0


def test_write_film_mp4_has_every_frame(tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    write_film(made(), tmp_path / "film.mp4")
    count, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))
    assert count == 5
    assert seconds == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_write_film_that_fails_leaves_no_file(tmp_path, name):
    def frames():
        yield np.zeros((32, 48, 3), np.uint8)
        raise HarnessError("environment raised")

    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    with pytest.raises(HarnessError, match="environment raised"):
        write_film(Film(frames(), 10.0), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_check_format_of_another_suffix_raises():
    with pytest.raises(HarnessError, match=r"^x.avi: unsupported format; write an .mp4 or .gif file$"):
        check_format("x.avi")


def test_check_format_of_mp4_without_ffmpeg_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(HarnessError, match=r"pip install 'offline-rl-harness\[film\]'; or write a .gif"):
        check_format("x.mp4")
    check_format("x.gif")
