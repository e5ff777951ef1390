import pytest

from harness.errors import HarnessError
from harness.reporting import published
from harness.reporting.names import dataset_name


@pytest.mark.parametrize("name", published.names())
def test_every_source_is_whole(name):
    source = published.load(name)
    assert source.title
    assert source.source
    assert source.url.startswith("https://")
    assert source.protocol.score in ("final", "last", "best")
    assert source.protocol.datasets in source.protocol.sentence()
    for rows in source.scores.values():
        assert rows
        for dataset, (mean, deviation) in rows.items():
            assert f"v{dataset_name(dataset).version}" in source.protocol.datasets
            assert -20 < mean < 240
            assert deviation is None or 0 <= deviation < 70


def test_the_papers_totals_are_those_of_its_table():
    """979.3 ± 33.4 over the fifteen of v0; 677.4 over the nine of v2 that later papers reprint."""
    v0 = published.load("td3_bc-paper-v0").scores["TD3+BC"]
    assert sum(mean for mean, _ in v0.values()) == pytest.approx(979.3, abs=0.05)
    assert sum(deviation for _, deviation in v0.values()) == pytest.approx(33.4, abs=0.05)
    v2 = published.load("td3_bc-paper-v2").scores["TD3+BC"]
    nine = [mean for dataset, (mean, _) in v2.items() if "medium" in dataset]
    assert len(nine) == 9
    assert sum(nine) == pytest.approx(677.4, abs=0.05)


def test_corl_keeps_its_averages():
    """The averages of the nine Gym-MuJoCo datasets that CORL prints below its table of last scores."""
    scores = published.load("corl-last").scores
    for algorithm, average in (("BC", 50.40), ("TD3+BC", 76.45), ("IQL", 81.63)):
        nine = [mean for dataset, (mean, _) in scores[algorithm].items() if "medium" in dataset]
        assert sum(nine) / len(nine) == pytest.approx(average, abs=0.01)


def test_an_algorithm_is_found_by_any_spelling_of_its_own_name():
    source = published.load("corl-last")
    found = [source.algorithms([name]).get(name) for name in ("td3_bc", "TD3-BC", "IQL", "IQL+", "TD3+BC λ")]
    assert found == ["TD3+BC", "TD3+BC", "IQL", None, None]


def test_an_unknown_source_is_answered_with_the_nearest():
    with pytest.raises(HarnessError, match="did you mean corl-last"):
        published.load("corl-lats")


def test_a_list_of_sources():
    assert [source.name for source in published.load_all("corl-last, robomimic")] == [
        "corl-last",
        "robomimic",
    ]
    assert published.load_all(None) == []
