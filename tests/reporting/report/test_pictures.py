import io

import pytest
from PIL import Image

from harness.reporting.figures import Material
from harness.reporting.report.pictures import as_pixels, draw_picture, draw_pictures, within


@pytest.fixture(scope="module")
def drawn(sweep):
    names = ["scores", "mixtures", "metric-critic_loss"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.reporting.figures.figure_names", lambda results: names)
        return draw_pictures(Material(sweep))


def test_draw_pictures_are_vectors_where_they_are_small_enough(drawn):
    pictures, left_out = drawn
    assert {one.kind for one in pictures} == {"svg+xml"}
    assert "Mixtures of datasets" in left_out


def test_pictures_fit_the_budget_by_pixels_and_then_without_metrics(drawn):
    vectors, _ = drawn
    small = sum(len(as_pixels(one).content) for one in vectors)
    pictures, left_out = within(small + 1, vectors)
    assert not left_out
    assert sum(len(one.content) for one in pictures) <= small + 1
    assert "webp" in {one.kind for one in pictures}
    without_metrics, left_out = within(1, vectors)
    assert not any(one.folded for one in without_metrics)
    assert "harness plot --figure metric-critic_loss" in left_out["critic_loss over training"]


def test_as_pixels_has_the_size_of_the_plot_and_its_colours(sweep):
    picture = as_pixels(draw_picture("scores", Material(sweep)))
    image = Image.open(io.BytesIO(picture.content)).convert("RGB")
    width, height = picture.drawing.figure.get_size_inches() * 200
    assert image.size == pytest.approx((width, height), abs=1)
    colors = {color for _, color in image.getcolors(1 << 24)}
    assert (0x01, 0x73, 0xB2) in colors
