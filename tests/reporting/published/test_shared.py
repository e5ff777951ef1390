import pytest

from harness.errors import HarnessError
from harness.reporting import published
from harness.reporting.published.shared import (
    nothing_shared,
    published_score,
    require_shared,
    shared_datasets,
)
from harness.reporting.reading import records


@pytest.fixture
def returns(d4rl):
    rows = d4rl.frame[["algorithm", "dataset", "seed", "step", "return_mean"]].copy()
    return records.from_frame(rows, "log.csv")


def test_published_score_is_found_by_name_and_by_published_as(d4rl, local_files):
    source = published.load("corl-last")
    assert published_score(d4rl, source, "IQL", "hopper-medium-v2") == (67.53, 3.78)
    assert published_score(d4rl, source, "IQL", "hopper-random-v2") is None
    assert published_score(local_files, source, "IQL", "mine") == (3.26, 1.83)
    assert published_score(local_files, source, "IQL", "other") is None


def test_published_score_on_returns_is_none(returns):
    assert published_score(returns, published.load("corl-last"), "IQL", "hopper-medium-v2") is None


def test_shared_datasets_are_those_with_a_score_of_the_algorithms(d4rl, local_files):
    source = published.load("d3rlpy-final")
    assert shared_datasets(d4rl, source, ["BCQ"]) == []
    source = published.load("corl-last")
    assert [name.split("-")[1] for name in shared_datasets(d4rl, source, ["BC"])] == ["medium"] * 3
    assert shared_datasets(local_files, source, ["BC"]) == ["mine"]


def test_nothing_shared_says_that_results_are_returns(returns):
    reason = nothing_shared(returns, published.load("corl-last"))
    assert "the results on halfcheetah-medium-v2, hopper-medium-v2" in reason
    assert "are returns without reference scores" in reason


def test_require_shared_needs_one_of_the_results_for_each_source(results, d4rl):
    require_shared([results, d4rl], [published.load("corl-last")])
    with pytest.raises(HarnessError, match="corl-last has no scores on pendulum-random-v0"):
        require_shared([results], [published.load("corl-last")])
