from __future__ import annotations

import json
from typing import Any

import pytest

from harness import experiment_file
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.storage.run_directory import EXPERIMENT, RunDirectory
from harness.storage.stores import Store
from tests.storage.make import experiment, finish, in_every_store, prepared


@in_every_store
def test_prepare_of_the_same_experiment_resumes_it(store: Store) -> None:
    results = prepared(store)
    finish(results, results.requested_trials()[1])
    again = RunDirectory.prepare(store, experiment(), [])
    assert list(again.finished(again.requested_trials())) == [results.requested_trials()[1].key]
    assert RunDirectory.load(store).experiment == experiment()


def test_prepare_writes_nothing_before_save(store: Store) -> None:
    RunDirectory.prepare(store, experiment(), [])
    assert store.names() == []


def test_prepare_of_another_experiment_raises_with_the_differences(store: Store) -> None:
    results = prepared(store)
    finish(results, results.requested_trials()[0])
    with pytest.raises(
        HarnessError,
        match=r"contains the results of a different experiment: training.gradient_steps: 1000 -> 2000\. An",
    ):
        RunDirectory.prepare(store, experiment(training={"gradient_steps": 2000}), [])


GROWN = {
    "more seeds": {"seeds": [3, 0, 1]},
    "more datasets": {"datasets": ["pendulum-medium-v0", "pendulum-expert-v0"]},
    "more algorithms": {"algorithms": ["td3", "td3_bc", "bc"]},
    "a sweep": {
        "algorithms": {"td3_bc": {}, "bc": {}, "swept": {"algorithm": "td3_bc"}},
        "sweep": {"algorithms.swept.alpha": [1, 2], "algorithms.swept.policy_freq": [1, 2]},
    },
}


@pytest.mark.parametrize("more", GROWN.values(), ids=GROWN)
def test_prepare_of_an_extended_experiment_keeps_results(store: Store, more: dict[str, Any]) -> None:
    before = prepared(store).requested_trials()
    finish(prepared(store), before[0])
    results = RunDirectory.prepare(store, experiment(**more), [])
    results.save()
    assert {trial.key for trial in before} < {trial.key for trial in results.selected_trials()}
    assert list(results.finished(results.selected_trials())) == [before[0].key]
    assert RunDirectory.load(store).requested_trials() == experiment(**more).trials()


@pytest.mark.parametrize("more", GROWN.values(), ids=GROWN)
def test_prepare_of_a_part_of_an_experiment_selects_it(store: Store, more: dict[str, Any]) -> None:
    whole = prepared(store, **more)
    finish(whole, whole.requested_trials()[0])
    part = RunDirectory.prepare(store, experiment(description="a part", resources={"cpus": 2}), ["seed=1"])
    assert {trial.key for trial in part.selected_trials()} == {
        trial.key for trial in experiment().trials()[2:]
    }
    part.save()
    assert RunDirectory.load(store).requested_trials() == whole.requested_trials()
    assert RunDirectory.load(store).experiment.resources.cpus == 2


def test_prepare_of_a_grown_experiment_adds_only_the_selected_trials(store: Store) -> None:
    results = RunDirectory.prepare(store, experiment(), ["algorithm=bc"])
    results.save()
    finish(results, results.requested_trials()[0])
    grown = experiment(seeds=4, algorithms=["td3_bc", "bc", "td3"])
    RunDirectory.prepare(store, grown, ["algorithm=td3", "seed=3"]).save()
    assert {
        trial.key.replace("--pendulum-expert-v0", "") for trial in RunDirectory.load(store).requested_trials()
    } == {
        "bc--0",
        "bc--1",
        "td3--3",
    }


def test_prepare_of_an_extended_and_changed_experiment_raises(store: Store) -> None:
    results = prepared(store)
    finish(results, results.requested_trials()[0])
    for changed in ({"evaluation": {"episodes": 3}}, {"algorithms": {"td3_bc": {"alpha": 1}, "bc": {}}}):
        with pytest.raises(HarnessError, match="contains the results of a different experiment"):
            RunDirectory.prepare(store, experiment(seeds=3, **changed), [])
    with pytest.raises(HarnessError, match=r"a different experiment: seeds.0: 0 -> 1; .* can gain seeds"):
        RunDirectory.prepare(store, experiment(seeds=[1, 2]), [])


def test_load_after_a_run_was_killed_between_its_files_returns_the_previous_experiment(store: Store) -> None:
    finish(prepared(store), experiment().trials()[0])
    before = store.read("experiment.yaml") or b""
    RunDirectory.prepare(store, experiment(seeds=3), []).save()
    store.write("experiment.yaml", before)
    assert RunDirectory.load(store).requested_trials() == experiment().trials()
    RunDirectory.prepare(store, experiment(seeds=3), []).save()
    assert RunDirectory.load(store).requested_trials() == experiment(seeds=3).trials()


def test_prepare_over_an_experiment_without_results_replaces_it(store: Store) -> None:
    prepared(store)
    RunDirectory.prepare(store, experiment(training={"gradient_steps": 2000}), []).save()
    assert RunDirectory.load(store).experiment.trials()[0].training.gradient_steps == 2000


def test_prepare_accepts_changed_resources_and_description(store: Store) -> None:
    prepared(store)
    changed = experiment(description="new", resources={"cpus": 2, "algorithms": {"bc": {"cpus": 1}}})
    RunDirectory.prepare(store, changed, []).save()
    assert RunDirectory.load(store).experiment.resources.of("td3_bc").cpus == 2


def test_prepare_in_a_directory_with_unrelated_files_raises(store: Store) -> None:
    store.write("thesis.tex", b"years of work")
    with pytest.raises(HarnessError, match=r"contains files but no experiment \(thesis.tex\)"):
        RunDirectory.prepare(store, experiment(), [])


def test_load_without_an_experiment_raises(store: Store) -> None:
    with pytest.raises(HarnessError, match="no experiment here"):
        RunDirectory.load(store)


def test_published_as_may_be_added_after_a_run(store: Store) -> None:
    prepared(store)
    edited = experiment(datasets=[{"name": "pendulum-expert-v0", "published_as": "pendulum-medium-v0"}])
    store.write(EXPERIMENT, experiment_file.dump(edited).encode())
    assert RunDirectory.load(store).experiment == edited
    assert RunDirectory.prepare(store, edited, []).experiment == edited


def test_labels_may_be_added_after_a_run(store: Store) -> None:
    prepared(store)
    plain = experiment().model_dump()
    labelled = {name: {**settings, "label": "A variant"} for name, settings in plain["algorithms"].items()}
    edited = experiment(
        datasets=[{**each, "label": "A dataset"} for each in plain["datasets"]], algorithms=labelled
    )
    assert RunDirectory.prepare(store, edited, []).experiment == edited


def with_file(path: str, **changes: Any) -> Experiment:
    return experiment(datasets=[{"name": "mine", "path": path}], **changes)


def test_prepare_with_a_moved_data_file_continues_with_its_new_path(store: Store) -> None:
    results = RunDirectory.prepare(store, with_file("/old.hdf5"), [])
    results.save()
    finish(results, results.requested_trials()[0])
    moved = RunDirectory.prepare(store, with_file("/new.hdf5"), [])
    assert list(moved.finished(moved.requested_trials())) == [results.requested_trials()[0].key]
    part = RunDirectory.prepare(store, with_file("/new.hdf5", seeds=[1]), [])
    part.save()
    assert RunDirectory.load(store).experiment.datasets[0].path == "/new.hdf5"
    assert len(RunDirectory.load(store).requested_trials()) == 4


def test_relocate_data_changes_only_paths(store: Store) -> None:
    RunDirectory.prepare(store, with_file("/old.hdf5"), []).save()
    results = RunDirectory.load(store)
    results.relocate_data(with_file("/new.hdf5", seeds=7))
    assert results.experiment == with_file("/new.hdf5")


def test_load_of_an_edited_experiment_raises_until_the_original_is_run(store: Store) -> None:
    finish(prepared(store), experiment().trials()[0])
    text = (store.read("experiment.yaml") or b"").decode()
    store.write("experiment.yaml", text.replace("gradient_steps: 1000", "gradient_steps: 9000").encode())
    with pytest.raises(HarnessError, match=r"experiment.yaml has changed since the last run. To restore it"):
        RunDirectory.load(store)
    with pytest.raises(HarnessError, match="has changed since the last run"):
        RunDirectory.prepare(store, experiment(seeds=3), [])
    RunDirectory.prepare(store, experiment(), []).save()
    assert RunDirectory.load(store).experiment == experiment()


def test_load_accepts_edited_resources_description_and_comments(store: Store) -> None:
    prepared(store)
    text = (store.read("experiment.yaml") or b"").decode()
    text = text.replace("description: ''", "description: mine  # for the paper").replace(
        "cpus: 1.0", "cpus: 2"
    )
    store.write("experiment.yaml", text.encode())
    assert RunDirectory.load(store).experiment == experiment(description="mine", resources={"cpus": 2})


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("experiment.yaml", b"name: [", "not valid YAML"),
        ("experiment.yaml", b"\xff\xfe\x00", "not valid YAML"),
        ("experiment.yaml", b"", "experiment.yaml is empty. To restore it, run the original file"),
        ("manifest.json", b'{"runs": [', "manifest.json is damaged; remove it"),
        ("manifest.json", b'{"runs": [3]}', "manifest.json is damaged; remove it"),
        ("manifest.json", b'{"datasets": []}', "manifest.json is damaged; remove it"),
        ("manifest.json", b"[" * 10_000, "manifest.json is damaged; remove it"),
        ("manifest.json", b"[]", "manifest.json is damaged; remove it"),
    ],
)
def test_load_of_damaged_files_names_them(store: Store, name: str, data: bytes, complaint: str) -> None:
    prepared(store)
    store.write(name, data)
    with pytest.raises(HarnessError, match=complaint):
        RunDirectory.load(store)


def test_load_without_a_manifest_returns_the_experiment(store: Store) -> None:
    prepared(store)
    store.remove("manifest.json")
    assert RunDirectory.load(store).experiment == experiment()


def test_prepare_after_a_start_was_killed_half_way_starts_again(store: Store) -> None:
    prepared(store)
    store.remove("experiment.yaml")
    assert len(RunDirectory.prepare(store, experiment(), []).requested_trials()) == 4


def test_prepare_adds_to_earlier_selections(store: Store) -> None:
    RunDirectory.prepare(store, experiment(), ["algorithm=bc"]).save()
    assert {trial.algorithm for trial in RunDirectory.load(store).requested_trials()} == {"bc"}
    second = RunDirectory.prepare(store, experiment(), ["algorithm=td3_bc", "seed=1"])
    second.save()
    assert [trial.key for trial in second.selected_trials()] == ["td3_bc--pendulum-expert-v0--1"]
    assert len(RunDirectory.load(store).selected_trials()) == 3
    assert [trial.key for trial in RunDirectory.load(store).requested_trials()] == [
        "bc--pendulum-expert-v0--0",
        "td3_bc--pendulum-expert-v0--1",
        "bc--pendulum-expert-v0--1",
    ]
    RunDirectory.prepare(store, experiment(), []).save()
    assert len(RunDirectory.load(store).requested_trials()) == 4


def test_save_keeps_the_other_entries_of_the_manifest(store: Store) -> None:
    results = prepared(store)
    results.save(runs=[{"started": "then"}])
    RunDirectory.load(store).save(datasets={"x": {"digest": "0"}})
    manifest = json.loads(store.read("manifest.json") or b"")
    assert manifest["runs"] == [{"started": "then"}]
    assert manifest["datasets"] == {"x": {"digest": "0"}}


@in_every_store
def test_save_writes_the_experiment_after_the_manifest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run counts as started once experiment.yaml exists, so it is written after the manifest."""
    written: list[str] = []
    write = type(store).write

    def recording(self: Store, name: str, data: bytes, lasting: bool = True) -> None:
        written.append(name)
        write(self, name, data, lasting)

    monkeypatch.setattr(type(store), "write", recording)
    results = RunDirectory.prepare(store, experiment(), ["algorithm=bc"])
    results.save()
    assert written == ["manifest.json", "experiment.yaml"]
    RunDirectory.prepare(store, experiment(seeds=3), []).save()
    assert written[2:] == ["manifest.json", "experiment.yaml"]


def test_require_unchanged_detects_the_writes_of_another_driver(store: Store) -> None:
    first, second = (RunDirectory.prepare(store, experiment(seeds=seeds), []) for seeds in (2, 3))
    first.save()
    first.require_unchanged()
    with pytest.raises(HarnessError, match="another driver has changed the results in the meantime"):
        second.require_unchanged()
