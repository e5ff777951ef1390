import pytest

from harness.datasets import registry
from harness.errors import HarnessError
from harness.reporting import published
from harness.reporting.names import dataset_name

LOCOMOTION, ADROIT = ("halfcheetah", "hopper", "walker2d"), ("pen", "door", "hammer", "relocate")


@pytest.mark.parametrize("name", published.names())
def test_every_source_is_complete(name):
    source = published.load(name)
    assert source.title
    assert source.source
    assert source.url.startswith("https://")
    assert source.protocol.score in ("final", "last", "best", None)
    assert source.protocol.datasets in source.protocol.sentence()
    for rows in source.scores.values():
        assert rows
        for dataset, (mean, deviation) in rows.items():
            assert dataset in registry.registered()
            assert f"v{dataset_name(dataset).version}" in source.protocol.datasets
            assert -20 < mean < 240
            assert deviation is None or 0 <= deviation < 70


@pytest.mark.parametrize("name", published.names())
def test_exceptions_keep_the_datasets_and_the_score_of_their_source(name):
    source = published.load(name)
    for algorithm, protocol in source.exceptions.items():
        assert algorithm in source.scores
        assert (protocol.datasets, protocol.score) == (source.protocol.datasets, source.protocol.score)
        assert protocol.differences(source.protocol)


@pytest.mark.parametrize(
    ("name", "algorithms"),
    [
        ("corl-last", {"BC", "10%BC", "TD3+BC", "AWAC", "CQL", "IQL", "ReBRAC", "SAC-N", "EDAC", "DT"}),
        ("corl-mazes-best", {"BC", "10%BC", "TD3+BC", "AWAC", "CQL", "IQL", "ReBRAC", "SAC-N", "EDAC", "DT"}),
        ("d3rlpy-final10", {"AWAC", "BCQ", "BEAR", "CQL", "CRR", "IQL", "PLAS", "SAC", "TD3", "TD3+BC"}),
        ("offlinerl-kit", {"CQL", "EDAC", "IQL", "MOPO", "COMBO", "MOBILE", "TD3+BC"}),
        ("jax-corl", {"AWAC", "CQL", "DT", "IQL", "XQL", "TD3+BC"}),
        ("td3_bc-paper-v0", {"TD3+BC", "CQL"}),
        ("awac-paper-v0", {"AWAC"}),
        ("td7-rerun", {"TD3+BC"}),
        ("offlinerl-lib", {"TD3+BC"}),
    ],
)
def test_sources_have_the_algorithms_that_they_print(name, algorithms):
    assert algorithms <= set(published.load(name).scores)


def test_totals_of_the_td3_bc_paper_are_those_that_it_prints():
    """979.3 ± 33.4 over the fifteen of v0; 677.4 over the nine of v2 that later papers reprint."""
    v0 = published.load("td3_bc-paper-v0").scores["TD3+BC"]
    assert sum(mean for mean, _ in v0.values()) == pytest.approx(979.3, abs=0.05)
    assert sum(deviation for _, deviation in v0.values()) == pytest.approx(33.4, abs=0.05)
    v2 = published.load("td3_bc-paper-v2").scores["TD3+BC"]
    nine = [mean for dataset, (mean, _) in v2.items() if "medium" in dataset]
    assert len(nine) == 9
    assert sum(nine) == pytest.approx(677.4, abs=0.05)


@pytest.mark.parametrize(
    ("name", "tasks", "averages"),
    [
        ("corl-last", LOCOMOTION, (50.40, 69.29, 76.45, 79.39, 78.28, 81.63, 89.74, 83.52, 92.92, 73.84)),
        ("corl-last", ADROIT, (48.18, 42.69, 10.40, 55.71, 1.53, 53.43, 59.39, 12.43, 18.78, 49.21)),
        ("corl-best", LOCOMOTION, (70.15, 80.65, 84.83, 87.80, 84.68, 86.28, 93.00, 95.60, 96.36, 77.49)),
        ("corl-best", ADROIT, (58.92, 54.58, 20.51, 67.69, 13.65, 62.62, 69.71, 27.49, 33.88, 52.60)),
        (
            "corl-mazes-last",
            ("maze2d",),
            (1.13, 12.58, 61.99, 121.92, 33.65, 46.23, 96.77, 141.32, 82.64, 28.48),
        ),
        ("corl-mazes-last", ("antmaze",), (17.21, 19.71, 19.33, 18.58, 50.71, 57.17, 78.42, 0.0, 0.0, 18.12)),
    ],
)
def test_averages_of_corl_are_those_that_it_prints(name, tasks, averages):
    for scores, average in zip(published.load(name).scores.values(), averages, strict=True):
        means = [mean for dataset, (mean, _) in scores.items() if dataset.startswith(tasks)]
        assert sum(means) / len(means) == pytest.approx(average, abs=0.011)


def test_v2_sources_do_not_print_v0_scores_of_td3_bc():
    """OfflineRL-Lib lists the paper's v0 scores as v2; on v0 Hopper medium is near 100 and replay near 31."""
    for source in map(published.load, published.names()):
        rows = source.scores.get("TD3+BC", {})
        assert rows.get("hopper-medium-v2", (60.0, None))[0] < 75 or source.protocol.score == "best"
        assert rows.get("hopper-medium-replay-v2", (60.0, None))[0] > 45


def test_a_deviation_that_was_not_printed_is_absent():
    scores = published.load("td3_bc-paper-v0").scores["CQL"]
    assert scores["hopper-medium-expert-v0"] == (111.4, None)
    assert {deviation for _, deviation in published.load("awac-paper-v0").scores["AWAC"].values()} == {None}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("corl-lats", "no published scores 'corl-lats'; did you mean corl-last"),
        ("corl-last:IQK", "published corl-last has no 'IQK'; did you mean IQL"),
    ],
)
def test_load_of_what_does_not_exist_names_what_does(request_, message):
    with pytest.raises(HarnessError, match=message):
        published.load(request_)


def test_load_all_takes_lists_and_choices():
    sources = published.load_all(["corl-last, robomimic", "jax-corl:iql,xql"])
    assert [(source.name, source.chosen) for source in sources] == [
        ("corl-last", None),
        ("robomimic", None),
        ("jax-corl", ("IQL", "XQL")),
    ]
    assert published.load_all([]) == []


def test_load_all_of_a_source_named_twice_raises():
    with pytest.raises(HarnessError, match="names corl-last twice"):
        published.load_all(["corl-last", "corl-last:iql"])
