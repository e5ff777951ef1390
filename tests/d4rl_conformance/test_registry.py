"""Tests that every URL and reference score equals that in d4rl's infos.py."""

import json

import pytest

from harness.datasets import registry

FAMILIES = (
    "hopper halfcheetah walker2d ant pen hammer door relocate maze2d antmaze kitchen".split()  # noqa: SIM905
)


@pytest.fixture(scope="module")
def infos(d4rl):
    return json.loads(d4rl("infos"))


def ours():
    return {name: dataset for name, dataset in registry.registered().items() if dataset.url is not None}


def test_registry_has_exactly_the_datasets_of_these_families(infos):
    theirs = {name for name in infos["DATASET_URLS"] if name.split("-")[0] in FAMILIES}
    assert set(ours()) == theirs


def test_urls_equal_d4rls(infos):
    assert {name: dataset.url for name, dataset in ours().items()} == {
        name: infos["DATASET_URLS"][name] for name in ours()
    }


@pytest.mark.parametrize(("table", "bound"), [("REF_MIN_SCORE", "minimum"), ("REF_MAX_SCORE", "maximum")])
def test_reference_scores_equal_d4rls(infos, table, bound):
    for name, dataset in ours().items():
        found = getattr(dataset.reference, bound) if dataset.reference else None
        assert found == infos[table].get(name), name
