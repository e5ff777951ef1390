"""Tests of which trials share a process, and in which order packs start."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.trial import Trial
from harness.tuning.capacity import Capacity
from harness.tuning.packing import MAX_PACK_SIZE, TrialPack, make_packs
from harness.tuning.settings import ResourceSettings, TrialResources
from tests.storage.make import experiment

HOPPER = ["hopper-medium-v2", "hopper-expert-v2"]


def packs(trials: list[Trial], slots: int = 1, steps: Any = None, **resources: Any) -> list[TrialPack]:
    settings = ResourceSettings(evaluators=0, **resources)
    requests = {trial.algorithm: settings.of(trial.algorithm) for trial in trials}
    return make_packs(trials, requests, Capacity([{"CPU": 1.0, "GPU": 1.0}] * slots), steps or {})


def keys(found: list[TrialPack]) -> list[list[str]]:
    return [[trial.key for trial in pack.trials] for pack in found]


def test_make_packs_sorts_by_work_and_keeps_the_order_of_equal_trials() -> None:
    trials = experiment(
        algorithms={"bc": {}, "td3_bc": {}, "wide": {"algorithm": "td3", "hidden_sizes": [512, 512]}}
    ).trials()
    assert keys(packs(trials)) == [
        ["wide--pendulum-expert-v0--0"],
        ["wide--pendulum-expert-v0--1"],
        ["td3_bc--pendulum-expert-v0--0"],
        ["td3_bc--pendulum-expert-v0--1"],
        ["bc--pendulum-expert-v0--0"],
        ["bc--pendulum-expert-v0--1"],
    ]


def test_make_packs_puts_trials_that_pause_early_after_longer_ones() -> None:
    trials = experiment(algorithms={"bc": {}, "td3_bc": {}}, seeds=1).trials()
    until = {trial.key: 100 for trial in trials if trial.algorithm == "td3_bc"}
    requests = dict.fromkeys(("bc", "td3_bc"), ResourceSettings(evaluators=0).of("bc"))
    found = make_packs(trials, requests, Capacity([{"CPU": 1.0}]), {}, until)
    assert [(pack.trials[0].algorithm, pack.until) for pack in found] == [("bc", None), ("td3_bc", 100)]


def test_make_packs_on_a_cpu_gives_one_trial_per_pack() -> None:
    trials = experiment(datasets=HOPPER, seeds=3).trials()
    assert all(len(pack.trials) == 1 for pack in packs(trials))


def test_make_packs_on_a_gpu_combines_seeds_and_datasets_of_one_shape() -> None:
    trials = experiment(
        datasets=[*HOPPER, "halfcheetah-medium-v2", "walker2d-medium-v2"],
        algorithms=["td3_bc", "bc"],
        seeds=5,
    ).trials()
    found = packs(trials, gpus=1)
    assert sorted(len(pack.trials) for pack in found) == [10, 10, 10, 10]
    for pack in found:
        assert len({trial.algorithm for trial in pack.trials}) == 1
        assert len({trial.dataset.name.startswith("hopper") for trial in pack.trials}) == 1
    assert found[0].trials[0].key == "td3_bc--hopper-medium-v2--0"


def test_make_packs_on_several_gpus_divides_the_trials() -> None:
    trials = experiment(datasets=HOPPER, algorithms=["td3_bc"], seeds=4).trials()
    assert [len(pack.trials) for pack in packs(trials, slots=4, gpus=1)] == [2, 2, 2, 2]


def test_make_packs_of_data_files_combines_seeds() -> None:
    files = [{"name": name, "path": f"{name}.hdf5", "environment": "Hopper-v4"} for name in "ab"]
    found = packs(experiment(datasets=files, algorithms=["bc"], seeds=3).trials(), gpus=1)
    assert [{trial.dataset.name for trial in pack.trials} for pack in found] == [{"a"}, {"b"}]


def test_make_packs_separates_datasets_with_another_environment() -> None:
    own = {"name": "hopper-expert-v2", "environment": "StrongHopper-v0"}
    found = packs(experiment(datasets=[HOPPER[0], own], algorithms=["bc"], seeds=2).trials(), gpus=1)
    assert [{trial.dataset.name for trial in pack.trials} for pack in found] == [{HOPPER[0]}, {HOPPER[1]}]


def test_make_packs_ignores_cpu_trials_for_the_size_of_gpu_packs() -> None:
    trials = experiment(datasets=HOPPER, algorithms=["td3_bc", "td3", "bc"], seeds=4).trials()
    found = packs(trials, slots=4, algorithms={"td3_bc": {"gpus": 1}})
    assert [len(pack.trials) for pack in found if pack.request.gpus] == [2, 2, 2, 2]


def test_make_packs_of_a_requested_size() -> None:
    trials = experiment(datasets=HOPPER, algorithms=["bc"], seeds=5).trials()
    assert [len(pack.trials) for pack in packs(trials, pack=4)] == [4, 3, 3]


@pytest.mark.parametrize("asked", [{"gpus": 1}, {"pack": 3}])
def test_make_packs_separates_trials_that_resume_from_different_steps(asked: dict[str, Any]) -> None:
    trials = experiment(algorithms=["bc"], seeds=6).trials()
    steps = {
        trials[0].key: frozenset({100, 200}),
        trials[1].key: frozenset({200, 300}),
        trials[2].key: frozenset({400}),
    }
    found = {frozenset(trial.seed for trial in pack.trials) for pack in packs(trials, steps=steps, **asked)}
    assert found == {frozenset({0, 1}), frozenset({2}), frozenset({3, 4, 5})}


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.integers(1, 80),
    pack=st.one_of(st.just("auto"), st.integers(1, 9)),
    gpus=st.sampled_from([0, 0.5, 1]),
    slots=st.integers(0, 9),
    begun=st.lists(st.sets(st.integers(1, 5), min_size=1, max_size=2), max_size=9),
)
def test_make_packs_puts_every_trial_into_one_pack(
    seeds: int, pack: Any, gpus: float, slots: int, begun: list[set[int]]
) -> None:
    trials = experiment(algorithms=["bc"], seeds=seeds).trials()
    steps = {trial.key: frozenset(own) for trial, own in zip(trials, begun, strict=False)}
    found = packs(trials, slots, steps, pack=pack, gpus=gpus)
    assert sorted(key for part in keys(found) for key in part) == sorted(trial.key for trial in trials)
    assert max(len(part.trials) for part in found) <= (MAX_PACK_SIZE if pack == "auto" else pack)


def test_resources_of_one_variant_keep_the_general_ones() -> None:
    request = ResourceSettings(pack=8, evaluators=2, algorithms={"bc": TrialResources(pack=2)}).of("bc")
    assert (request.pack, request.evaluators) == (2, 2)
