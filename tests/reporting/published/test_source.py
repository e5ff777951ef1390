import pytest

from harness.reporting import published


def test_the_citation_names_the_exceptions_of_the_shown_algorithms_alone():
    source = published.load("corl-last")
    assert "100,000 gradient steps" not in source.citation(["IQL"])
    cited = source.citation(["IQL", "SAC-N", "EDAC", "DT"])
    assert "; SAC-N, EDAC: 3,000,000 gradient steps, every" in cited
    assert "DT: 100,000 gradient steps, the last evaluation, 100 episodes" in cited


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        *(("td3_bc", "TD3+BC"), ("TD3-BC", "TD3+BC"), ("bc", "BC"), ("10%bc", "10%BC"), ("iql", "IQL")),
        *(("rebrac", "ReBRAC"), ("cql", "CQL"), ("awac", "AWAC"), ("edac", "EDAC"), ("sac_n", "SAC-N")),
    ],
)
def test_shown_without_a_choice_finds_ours_by_any_spelling(ours, theirs):
    assert published.load("corl-last").shown([ours]) == {theirs: ours}


@pytest.mark.parametrize("ours", ["IQL+", "TD3+BC λ", "bc@data=10"])
def test_shown_without_a_choice_leaves_out_other_algorithms(ours):
    assert published.load("corl-last").shown([ours]) == {}


def test_shown_with_a_choice_is_that_choice_in_its_order():
    source = published.load("corl-last:iql, td3_bc,DT")
    assert source.chosen == ("IQL", "TD3+BC", "DT")
    assert source.shown(["td3_bc", "bc"]) == {"IQL": None, "TD3+BC": "td3_bc", "DT": None}
