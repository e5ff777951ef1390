import numpy as np
import pytest

from harness.films.panels import grid, panel


def picture(height=50, width=70):
    return np.full((height, width, 3), (200, 0, 0), np.uint8)


@pytest.mark.parametrize(("height", "size"), [(32, (44, 32)), (33, (46, 32)), (100, (140, 100))])
def test_panel_scales_the_picture_to_even_sides(height, size):
    drawn = np.asarray(panel(picture(), ["td3_bc", "return 1.0"], height))
    assert drawn.shape[1] == size[0]
    assert drawn.shape[0] % 2 == 0
    below = drawn[-size[1] // 2, size[0] // 2]
    assert tuple(below) == (200, 0, 0)
    caption = drawn[: drawn.shape[0] - size[1]]
    assert (caption[2:, 2:-2] < 128).any()


def test_panel_truncates_long_captions():
    short, long = (panel(picture(), [text], 60) for text in ("td3_bc", "td3_bc" * 40))
    assert short.size == long.size


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3))])
def test_grid_arranges_panels_in_rows(count, shape):
    one = panel(picture(), ["x"], 32)
    whole = grid([one] * count)
    assert whole.shape == (shape[0] * one.height, shape[1] * one.width, 3)
