import pytest

from harness.reporting.names import (
    algorithm_label,
    canonical_algorithm,
    dataset_name,
    dataset_titles,
    in_table_order,
    same_algorithms,
    titles,
)


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("td3_bc", "TD3+BC"),
        ("bc", "BC"),
        ("td3_bc@alpha=1.0", "TD3+BC \N{GREEK SMALL LETTER ALPHA}=1.0"),
        ("td3_bc@alpha=1,tau=0.01", "TD3+BC \N{GREEK SMALL LETTER ALPHA}=1, τ=0.01"),
        ("td3_bc@actor_learning_rate=0.1", "TD3+BC actor learning rate=0.1"),
        ("no-state-normalization", "no state normalization"),
        ("td3_bc-without_noise", "TD3+BC without noise"),
        ("IQL+", "IQL+"),
        ("lr-1", "lr-1"),
    ],
)
def test_algorithm_label(column, label):
    assert algorithm_label(column) == label


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["hopper-medium-expert-v2", "halfcheetah-random-v2"],
            ["Hopper medium-expert", "HalfCheetah random"],
        ),
        (["hopper-medium-v0", "hopper-medium-v2"], ["Hopper medium v0", "Hopper medium v2"]),
        (["minari:mujoco/hopper/medium-v0", "minari:my/data"], ["Hopper medium", "my/data"]),
        (["minari:mujoco/hopper/medium-v0", "hopper-medium-v0"],) * 2,
    ],
)
def test_dataset_titles_are_distinct_and_as_short_as_possible(names, expected):
    assert list(dataset_titles(names).values()) == expected


def test_labels_take_the_place_of_titles():
    variants = ["td3_bc@alpha=1", "no-bc", "no_bc"]
    found = titles(variants, ["hopper-medium-v2", "mine"], {"td3_bc@alpha=1": "Ours", "mine": "My data"})
    assert found == {
        "td3_bc@alpha=1": "Ours \N{GREEK SMALL LETTER ALPHA}=1",
        "no-bc": "no BC",
        "no_bc": "no bc",
        "hopper-medium-v2": "Hopper medium",
        "mine": "My data",
    }


def test_spellings_of_one_algorithm_are_the_same():
    assert canonical_algorithm("td3_bc") == canonical_algorithm("TD3+BC") == canonical_algorithm("TD3-BC")
    assert canonical_algorithm("10%BC") != canonical_algorithm("BC")
    assert canonical_algorithm("td3_bc@alpha=1") != canonical_algorithm("td3_bc")
    apart = ["IQL", "IQL+", "IQL τ", "IQL λ", "lr1", "lr-1", "lr+1", "算法一", "別の"]
    assert len(set(map(canonical_algorithm, apart))) == len(apart)


def test_the_same_algorithm_is_the_same_name_or_the_only_other_spelling():
    assert same_algorithms(["bc", "td3_bc", "IQL+"], ["TD3+BC", "BC", "IQL"]) == {
        "bc": "BC",
        "td3_bc": "TD3+BC",
    }
    names = ["X", "x", "td3_bc", "TD3-BC", "_"]
    assert same_algorithms(names, names[::-1]) == {name: name for name in names}
    assert same_algorithms(names, ["TD3+BC", "x", "__"]) == {"x": "x"}
    assert same_algorithms(["TD3+BC"], names) == {}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hopper-medium-replay-v2", ("hopper", "medium-replay", "2")),
        ("minari:mujoco/hopper/medium-v0", ("hopper", "medium", "0")),
        ("my data", ("my data", "", "")),
    ],
)
def test_dataset_name(name, parts):
    assert dataset_name(name) == parts


def test_datasets_stand_in_the_order_of_the_papers_table():
    names = ["mine", "walker2d-expert-v2", "hopper-medium-v2", "halfcheetah-medium-v2", "hopper-random-v2"]
    assert in_table_order(names) == [
        "hopper-random-v2",
        "halfcheetah-medium-v2",
        "hopper-medium-v2",
        "walker2d-expert-v2",
        "mine",
    ]
