"""Tests that errors in data and environments are found before workers start."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from harness import datasets
from harness.datasets.settings import DatasetSettings
from harness.errors import HarnessError, HarnessWarning
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.tuning import preflight
from harness.tuning.launch import Options
from tests.storage.make import experiment, finish


def _broken() -> None:
    raise FileNotFoundError("no model.xml")


gymnasium.register("Broken-v0", entry_point=_broken, max_episode_steps=5)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("D4RL_DATASET_DIR", str(tmp_path / "d4rl"))


def check(dataset: dict[str, Any], **changes: Any) -> None:
    check_trials(Options(), datasets=[dataset], **changes)


def check_trials(options: Options, **changes: Any) -> None:
    small = experiment(**changes)
    preflight.check_trials(small.trials(), options, small.resources)


def spoil(key: str, row: int, value: float) -> Callable[[dict[str, Any]], None]:
    return lambda values: values[key].__setitem__((row, 0), value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda values: values.pop("rewards"), "key rewards is missing"),
        (lambda values: values.update(actions=values["actions"][:, 0]), "actions has shape"),
        (lambda values: values.update({key: array[:1] for key, array in values.items()}), "has 1 step;"),
        (spoil("observations", 3, np.nan), "NaN or infinite values, the first in row 3"),
        (
            spoil("actions", 3, 50.0),
            "actions reach 50 in dimension 0, but its environment accepts .-2, 2.",
        ),
    ],
)
def test_check_of_an_unusable_file_raises(generated: Any, change: Any, complaint: str) -> None:
    sizes = {"observation_size": 3, "action_size": 1}
    own = {"name": "mine", "environment": "Pendulum-v1"}
    check({**own, "path": str(generated("good.hdf5", **sizes))})
    with pytest.raises(HarnessError, match=complaint):
        check({**own, "path": str(generated("bad.hdf5", change=change, **sizes))})


def test_check_of_unordered_rows_for_a_learner_of_next_actions_raises(generated: Any) -> None:
    def without_order(values: dict[str, Any]) -> None:
        values["next_observations"] = np.random.default_rng(1).permutation(values["observations"])

    path = generated("shuffled.hdf5", change=without_order, observation_size=3, action_size=1)
    dataset = {"name": "mine", "environment": "Pendulum-v1", "path": str(path)}
    with pytest.warns(HarnessWarning, match="not in chronological order"):
        check(dataset, algorithms=["td3_bc"])
    with pytest.raises(HarnessError, match="the next actions that this algorithm requires are unknown"):
        check(dataset, algorithms=["td3_bc", "rebrac"])


def test_check_of_a_file_without_an_environment_raises(generated: Any) -> None:
    with pytest.raises(HarnessError, match="no environment to evaluate on; name one with"):
        check({"name": "mine", "path": str(generated())})


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ("Pendulm-v1", "environment Pendulm-v1: gymnasium cannot make it"),
        ("CartPole-v1", "environment CartPole-v1: its action space is"),
        ("Hopper-v4", "observations have size 3"),
        ("tests.environments.odd:Odd/Unbounded-v0", r"not bounded .dimension 0 is in \[-inf, inf\]"),
        ("Broken-v0", "cannot be created .*FileNotFoundError: no model"),
    ],
)
def test_check_of_an_unusable_environment_raises(environment: str, complaint: str) -> None:
    dataset = {"name": "pendulum-expert-v0", "environment": environment}
    with pytest.raises(HarnessError, match=complaint):
        check(dataset)
    check_trials(Options(runtime_env={}), datasets=[dataset])  # the workers may have it


def test_check_does_not_load_a_dataset_that_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.datasets.load", lambda *_, **__: pytest.fail("fetched"))
    check({"name": "hopper-medium-v2"})
    with pytest.raises(HarnessError, match="Hoper-v4"):
        check({"name": "hopper-medium-v2", "environment": "Hoper-v4"})


def test_plan_on_a_cluster_accepts_missing_files(tmp_path: Path) -> None:
    missing = experiment(datasets=[{"name": "mine", "path": "/nowhere/mine.hdf5"}])
    results = RunDirectory.prepare(open_store(tmp_path / "results"), missing, [])
    preflight.plan(results, Options(address="auto"), dry=True)
    with pytest.raises(HarnessError, match="no such file"):
        preflight.plan(results, Options(), dry=True)


def test_check_of_scales_of_another_length_raises() -> None:
    algorithms = {"bc": {}, "scaled": {"algorithm": "bc", "state_normalization": [1, 2]}}
    with pytest.raises(HarnessError, match=r"algorithm scaled on pendulum-expert-v0: state_norm.* lists 2"):
        check({"name": "pendulum-expert-v0"}, algorithms=algorithms)


@pytest.mark.parametrize("has", [False, True])
def test_bf16_on_a_processor_that_emulates_it_warns(has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_has_bf16_products", lambda: has)
    settings = experiment(algorithms={"bc": {}, "half": {"algorithm": "bc", "precision": "bf16"}})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        preflight.warn_of_slow_precision(settings.trials(), settings.resources)
        on_gpus = settings.resources.model_copy(update={"gpus": 1})
        preflight.warn_of_slow_precision(settings.trials(), on_gpus)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == (0 if has else 1)
    assert all(message.startswith("precision bf16 of half: this processor") for message in messages)


@pytest.mark.parametrize("here", [True, False])
def test_check_of_an_environment_that_breaks_the_protocol_raises(here: bool, generated: Any) -> None:
    dataset = {"name": "mine", "path": str(generated("good.hdf5", observation_size=2, action_size=2))}
    if not here:
        dataset = {"name": "hopper-medium-v2"}
    environment = "tests.environments.odd:Odd/NanReward-v0"
    with pytest.raises(HarnessError, match=f"^environment {environment}: .*reward that is NaN"):
        check({**dataset, "environment": environment})


def test_check_of_asymmetric_actions_warns_that_they_are_rescaled(generated: Any) -> None:
    path = generated(
        "good.hdf5", observation_size=2, action_size=2, change=lambda values: values.update(zeros(values))
    )
    environment = "tests.environments.odd:Odd/Steered-v0"
    message = rf"environment {environment}: actions in \[0, 4\] x \[-0.5, 0.5\] are rescaled to \[-1, 1\]"
    with pytest.warns(HarnessWarning, match=message):
        check({"name": "mine", "path": str(path), "environment": environment})


def zeros(values: dict[str, Any]) -> dict[str, Any]:
    return {"actions": np.zeros_like(values["actions"])}


def test_digests_of_files_accepts_moved_data_and_raises_for_other_data(
    generated: Any, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "results"))
    sizes = {"observation_size": 3, "action_size": 1}
    path = generated(**sizes)

    def run_with(path: Path) -> RunDirectory:
        mine = {"name": "mine", "path": str(path), "environment": "Pendulum-v1"}
        return RunDirectory.prepare(store, experiment(datasets=[mine]), [])

    results = run_with(path)
    digests = preflight.digests_of_files(results)
    results.save(datasets={"mine": {"digest": digests["mine"]}})
    finish(results, results.requested_trials()[0])
    moved = path.rename(path.with_name("moved.hdf5"))
    assert preflight.digests_of_files(run_with(path)) == {}
    assert preflight.digests_of_files(run_with(moved)) == digests
    other = generated("other.hdf5", change=spoil("observations", 3, 0.5), **sizes)
    with pytest.raises(
        HarnessError, match=r"dataset mine: the transitions of .*other.hdf5 .* differ .*datasets.N.path"
    ):
        preflight.digests_of_files(run_with(other))


def test_environment_that_was_edited_since_evaluations_warns(
    generated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"observation_size": 3, "action_size": 1}
    mine = {"name": "mine", "path": str(generated(**sizes)), "environment": "edited_task:Pendulum-v1"}
    (tmp_path / "edited_task.py").write_text("import edited_helper\n")
    (tmp_path / "edited_helper.py").write_text("GAIN = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    store = open_store(str(tmp_path / "results"))

    def sources() -> dict[str, str]:
        results = RunDirectory.prepare(store, experiment(datasets=[mine]), [])
        found = preflight.environment_sources(preflight.plan(results, Options(), dry=True))
        results.save(datasets={"mine": {"environment_source": found["mine"]}})
        return found

    before = sources()
    (tmp_path / "edited_helper.py").write_text("GAIN = 2\n")
    after = sources()
    assert before != after
    results = RunDirectory.load(store)
    finish(results, results.requested_trials()[0])
    assert sources() == after
    (tmp_path / "edited_helper.py").write_text("GAIN = 3\n")
    for _ in range(2):
        with pytest.warns(HarnessWarning, match="edited_task, the module of its environment, or a file that"):
            assert sources() == after


def test_prefetch_skips_datasets_with_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded: list[str] = []
    monkeypatch.setattr(datasets, "download_size", lambda _: 1)
    preflight.prefetch(
        [
            DatasetSettings(name="walker2d-medium-v2", path="mine.hdf5"),
            DatasetSettings(name="mixed", mixture={"hopper-medium-v2": 0.5, "hopper-expert-v2": 0.5}),
            DatasetSettings(name="pendulum-mine"),
        ],
        lambda dataset, **_: downloaded.append(dataset.name),
    )
    assert downloaded == ["hopper-expert-v2", "hopper-medium-v2"]
