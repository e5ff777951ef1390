import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.search.spaces import read_space

position = st.floats(0, 1, exclude_max=True)
number = st.floats(-1e6, 1e6)
positive = st.floats(1e-9, 1e9)


@given(st.tuples(number, number).filter(lambda ends: ends[0] < ends[1]), position)
def test_uniform_values_lie_between_the_ends(ends, at):
    assert ends[0] <= read_space({"uniform": list(ends)}).value(at) <= ends[1]


@given(st.tuples(positive, positive).filter(lambda ends: ends[0] < ends[1]), position)
def test_log_uniform_values_lie_between_the_ends(ends, at):
    assert ends[0] <= read_space({"log_uniform": list(ends)}).value(at) <= ends[1]


@given(st.sampled_from(["integers", "log_integers"]), st.integers(1, 100), st.integers(1, 1000), position)
def test_integers_are_whole_and_between_the_ends(kind, low, width, at):
    value = read_space({kind: [low, low + width]}).value(at)
    assert isinstance(value, int)
    assert low <= value <= low + width


@pytest.mark.parametrize("kind", ["integers", "log_integers"])
def test_integers_take_every_value_of_a_small_range(kind):
    space = read_space({kind: [1, 4]})
    assert {space.value(index / 100) for index in range(100)} == {1, 2, 3, 4}
    assert space.size == 4


def test_values_have_six_significant_digits():
    assert read_space({"log_uniform": [0.1, 10]}).value(1 / 3) == 0.464159
    assert read_space({"uniform": [0.1234564, 1]}).value(0) == 0.1234564  # not below the range


def test_choices_are_drawn_as_often_as_each_other():
    space = read_space({"choice": ["fp32", [64, 64], None]})
    drawn = [space.value((index + 0.5) / 30) for index in range(30)]
    assert all(drawn.count(value) == 10 for value in ("fp32", [64, 64], None))
