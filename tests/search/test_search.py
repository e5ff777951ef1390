from harness.search.search import Search, searches_in


def test_searches_in_returns_the_grids_of_variant_names():
    grids = searches_in(["bc", "td3_bc@alpha=1.0,policy_freq=2", "td3_bc@alpha=2.5,policy_freq=2", "iql@odd"])
    assert grids == {
        "td3_bc": Search(
            "td3_bc",
            {
                "td3_bc@alpha=1.0,policy_freq=2": {"alpha": 1.0, "policy_freq": 2.0},
                "td3_bc@alpha=2.5,policy_freq=2": {"alpha": 2.5, "policy_freq": 2.0},
            },
            drawn=False,
        )
    }
    assert grids["td3_bc"].paths == ("alpha", "policy_freq")
    assert not grids["td3_bc"].drawn
