import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.search.sampling import draw, size
from harness.search.spaces import read_space

ALPHA = read_space({"log_uniform": [0.1, 10]})
TAU = read_space({"uniform": [0, 1]})
RECORDED = {
    "sobol": ({"alpha": 0.755698, "tau": 0.681804}, {"alpha": 7.55698, "tau": 0.181804}),
    "random": ({"alpha": 6.05476, "tau": 0.726448}, {"alpha": 2.51897, "tau": 0.692395}),
}
SPACES = {"alpha": ALPHA, "tau": TAU}


def test_draw_returns_the_recorded_values():
    """These values are those of samples in existing results, so they must never change."""
    assert draw(SPACES, 2, "sobol", 0, "td3_bc") == RECORDED["sobol"]
    assert draw(SPACES, 2, "random", 0, "td3_bc") == RECORDED["random"]


@given(st.sampled_from(["sobol", "random"]), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**53))
def test_draw_of_fewer_samples_returns_the_first_of_more(sampling, few, more, seed):
    first, second = (draw(SPACES, count, sampling, seed, "iql") for count in sorted((few, more)))
    assert second[: len(first)] == first


@pytest.mark.parametrize("sampling", ["sobol", "random"])
def test_draw_with_another_seed_or_algorithm_returns_other_samples(sampling):
    drawn = [draw(SPACES, 4, sampling, seed, name) for seed in (0, 1) for name in ("td3_bc", "iql")]
    assert len({str(samples) for samples in drawn}) == 4


def test_draw_with_sobol_places_one_sample_in_each_part_of_a_range():
    for path in SPACES:
        drawn = draw({path: TAU, "other": TAU}, 32, "sobol", 7, "td3_bc")
        assert sorted(int(sample[path] * 32) for sample in drawn) == list(range(32))


def test_size_counts_different_settings():
    three, two = read_space({"integers": [1, 3]}), read_space({"choice": [1, 2]})
    assert size({"a": three, "b": two}) == 6
    assert size({"a": three, "b": TAU}) is None
