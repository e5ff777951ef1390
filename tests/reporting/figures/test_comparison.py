import pytest

from harness.errors import HarnessError
from harness.reporting import reading
from harness.reporting.comparison import compare_with_baseline
from harness.reporting.figures import Material, draw
from tests import synthetic

ALL = "All datasets"


def test_comparison_draws_the_differences_and_intervals_of_the_table(results):
    figure = draw("comparison", Material(results)).figure
    compared = compare_with_baseline(results, "td3_bc").differences
    assert [axis.get_title() for axis in figure.axes] == ["TD3", "BC"]
    for axis, variant in zip(figure.axes, ("td3", "bc"), strict=True):
        drawn = [line for line in axis.get_lines() if line.get_transform() == axis.transData]
        points = [float(line.get_xdata()[0]) for line in drawn if line.get_marker() == "o"]
        intervals = [tuple(line.get_xdata()) for line in drawn if line.get_marker() != "o"]
        expected = {one.dataset: one for one in compared if one.variant == variant}
        rows = [*Material(results).normalized, None]
        assert points == [expected[name].difference for name in rows]
        assert intervals == [expected[name].interval for name in rows]


def test_comparison_fills_the_markers_of_differences_that_are_found(results):
    axis = draw("comparison", Material(results)).figure.axes[0]
    filled = [line.get_markerfacecolor() != "white" for line in axis.get_lines() if line.get_marker() == "o"]
    compared = [one for one in compare_with_baseline(results, "td3_bc").differences if one.variant == "td3"]
    assert sum(filled) == sum(one.verdict in ("better", "worse") for one in compared)
    assert axis.get_yticklabels()[-1].get_text() == ALL


def test_comparison_takes_another_baseline(results):
    drawing = draw("comparison", Material(results, reference="bc"))
    assert [axis.get_title() for axis in drawing.figure.axes] == ["TD3+BC", "TD3"]
    assert drawing.caption.startswith("Each variant minus BC")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"algorithms": ("bc",)}, "no variant other than bc"), ({"seeds": 2}, "needs three seeds")],
)
def test_comparison_without_a_test_is_not_drawn(tmp_path, settings, reason):
    few = reading.load(synthetic.write(tmp_path / "run", synthetic.experiment(**settings)))
    with pytest.raises(HarnessError, match=reason):
        draw("comparison", Material(few))
