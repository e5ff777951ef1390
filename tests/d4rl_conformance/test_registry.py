"""Every URL and reference score is the one that d4rl's infos.py has."""

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


def test_every_dataset_of_these_families_is_registered_and_no_other(infos):
    theirs = {name for name in infos["DATASET_URLS"] if name.split("-")[0] in FAMILIES}
    assert set(ours()) == theirs


def test_urls(infos):
    assert {name: dataset.url for name, dataset in ours().items()} == {
        name: infos["DATASET_URLS"][name] for name in ours()
    }


@pytest.mark.parametrize(("table", "bound"), [("REF_MIN_SCORE", "minimum"), ("REF_MAX_SCORE", "maximum")])
def test_reference_scores(infos, table, bound):
    for name, dataset in ours().items():
        found = getattr(dataset.reference, bound) if dataset.reference else None
        assert found == infos[table].get(name), name
