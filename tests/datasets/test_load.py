import json
import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from harness import datasets
from harness.datasets import download, files, loading, registry
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError
from tests.datasets.generate import random_steps, write_raw
from tests.datasets.server import serving


def local(path, **settings):
    return datasets.load(DatasetSettings(name="mine", path=str(path), **settings))


def settle(path):
    """Make the file look as if it had been there for long."""
    past = time.time() - 100
    os.utime(path, (past, past))


def test_load_of_a_pendulum_dataset_has_its_steps_environment_and_scores():
    dataset = datasets.load("pendulum-expert-v0")
    assert (len(dataset), dataset.observation_size, dataset.action_size) == (39_800, 3, 1)
    assert dataset.environment.id == "Pendulum-v1"
    assert dataset.reference.normalize(dataset.reference.maximum) == 100
    assert not dataset.terminals.any()
    np.testing.assert_allclose(np.linalg.norm(dataset.observations[:, :2], axis=1), 1, atol=1e-5)
    following = dataset.observations[1:] == dataset.next_observations[:-1]
    assert following.all(axis=1).sum() == 39_800 - 200


def test_transitions_are_read_only_packed_and_mapped():
    first, second = datasets.load("pendulum-random-v0"), datasets.load("pendulum-random-v0")
    assert first.transitions.dtype == np.float32
    assert first.transitions.shape == (39_800, 2 * 3 + 1 + 2)
    assert first.transitions.flags.c_contiguous
    assert type(first.transitions) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        first.transitions[0, 0] = 1
    assert first.digest == second.digest
    assert isinstance(first.transitions.base, np.memmap)


def test_load_with_other_settings_leaves_the_first_copy_alone():
    plain = datasets.load("pendulum-random-v0")
    shifted = datasets.load("pendulum-random-v0", DataSettings(rewards={"shift": -1}))
    assert np.array_equal(plain.rewards - 1, shifted.rewards)
    assert plain.digest != shifted.digest
    assert np.array_equal(plain.rewards, datasets.load("pendulum-random-v0").rewards)


def test_load_twice_reads_the_cache(monkeypatch):
    datasets.load("pendulum-random-v0")
    monkeypatch.setattr(loading, "_fill", lambda *_: pytest.fail("filled again"))
    monkeypatch.setattr(loading, "_in_memory", lambda *_: pytest.fail("read again"))
    datasets.load("pendulum-random-v0")


@pytest.mark.parametrize("damage", ["cut", "bit", "header", "gone", "no description", "other description"])
def test_load_from_a_damaged_cache_fills_it_again(tmp_path, damage):
    before = np.array(datasets.load("pendulum-random-v0").transitions)
    (stored,) = (tmp_path / "cache" / "transitions").glob("*.npy")
    about = stored.with_suffix(".json")
    if damage == "cut":
        stored.write_bytes(stored.read_bytes()[:-100])
    elif damage == "bit":
        content = bytearray(stored.read_bytes())
        content[-1000] ^= 1
        stored.write_bytes(content)
    elif damage == "header":
        content = bytearray(stored.read_bytes())
        content[10] ^= 1
        stored.write_bytes(content)
    elif damage == "gone":
        stored.unlink()
    elif damage == "no description":
        about.write_text("{")
    else:
        about.write_text(json.dumps(json.loads(about.read_text()) | {"observation_size": 7}))
    assert np.array_equal(datasets.load("pendulum-random-v0").transitions, before)


def test_load_without_a_writable_cache_gives_the_same_transitions(tmp_path, monkeypatch):
    mapped = datasets.load("pendulum-random-v0")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "file" / "below"))
    with pytest.warns(UserWarning, match=r"keeps its own copy.*HARNESS_CACHE_DIR"):
        own = datasets.load("pendulum-random-v0")
    assert np.array_equal(own.transitions, mapped.transitions)
    assert own.digest == mapped.digest
    assert not own.transitions.flags.writeable


def test_load_with_a_full_disk_warns(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loading, "_fill", full)
    with pytest.warns(UserWarning, match="No space left"):
        assert len(datasets.load("pendulum-random-v0")) == 39_800


def _digest_of_random(queue):
    dataset = datasets.load("pendulum-random-v0")
    queue.put((dataset.digest, float(dataset.transitions.sum(dtype=np.float64))))


def test_load_by_several_processes_gives_the_same(tmp_path):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=_digest_of_random, args=(queue,)) for _ in range(6)]
    for process in processes:
        process.start()
    found = {queue.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(found) == 1
    kept = [path for path in (tmp_path / "cache" / "transitions").iterdir() if path.suffix != ".lock"]
    assert len(kept) == 2  # the transitions and their description


def test_load_of_a_file_takes_environment_and_scores_from_its_attributes():
    source = registry.find("pendulum-expert-v0")
    found, original = local(source.local_path), datasets.load("pendulum-expert-v0")
    assert found.name == "mine"
    assert found.environment.id == "Pendulum-v1"
    assert found.reference == original.reference
    assert np.array_equal(found.transitions, original.transitions)


def test_load_of_a_file_takes_d4rls_scores_of_its_environment(generated):
    path = generated(observation_size=11, action_size=3)
    found = local(path, environment="Hopper-v4")
    assert found.environment.id == "Hopper-v4"
    assert found.reference == registry.find("hopper-medium-v2").reference
    assert local(path).environment is None
    assert local(path).reference is None
    assert local(path, environment="Swimmer-v4").reference is None


@pytest.mark.parametrize(
    "environment", ["harmful:Task-v0", "os:Task-v0", "tests.environments.odd:Odd/Point-v0"]
)
def test_file_whose_attribute_names_a_module_is_rejected_without_importing_it(
    generated, environment, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "harmful.py").write_text(f"open({str(tmp_path / 'harmed')!r}, 'w')\n")
    path = generated(observation_size=11, action_size=3)
    with h5py.File(path, "a") as file:
        file.attrs["environment"] = environment
    with pytest.raises(
        HarnessError, match=f"names the environment {environment}, but a file must not choose a module"
    ):
        local(path)
    assert not (tmp_path / "harmed").exists()
    assert local(path, environment="Hopper-v4").environment.id == "Hopper-v4"


def test_file_whose_attribute_names_a_known_environment_is_evaluated_on_it(generated):
    path = generated(observation_size=111, action_size=8)
    with h5py.File(path, "a") as file:
        file.attrs["environment"] = "harness.environments:D4RL/Ant-v4"
    assert local(path).environment.id == "harness.environments:D4RL/Ant-v4"


def test_load_of_a_file_under_a_registered_name_checks_its_sizes(generated):
    path = generated(observation_size=11, action_size=3)
    found = datasets.load(DatasetSettings(name="hopper-medium-v2", path=str(path)))
    assert found.environment.id == "harness.environments:D4RL/Hopper-v4"
    with pytest.raises(HarnessError, match="observations have size 11, those of walker2d 17; it is another"):
        datasets.load(DatasetSettings(name="walker2d-medium-v2", path=str(path)))


def test_load_of_actions_out_of_range_is_rejected(generated):
    path = generated(
        observation_size=11, action_size=3, change=lambda values: values["actions"].__setitem__((5, 1), -1.5)
    )
    with pytest.raises(HarnessError, match=r"actions reach -1.5 .* data.clip_actions=true clips them"):
        datasets.load(DatasetSettings(name="hopper-medium-v2", path=str(path)))


@pytest.mark.parametrize(("empty", "noted"), [(1, False), (30, True)])
def test_load_of_arrays_that_were_not_filled_says_so(generated, empty, noted):
    def clear_last(values):
        for array in values.values():
            array[-empty:] = 0

    found = local(generated(change=clear_last), environment="Hopper-v4")
    assert noted == any(note.startswith("the last 30 rows are all zero") for note in found.notes)


def test_load_of_a_file_without_timeouts_takes_the_step_limit_of_the_environment(generated):
    path = generated(timeouts=False, rows=500, limit=200, terminal_rate=0)
    assert len(local(path, environment="Pendulum-v1")) == 499 - 2
    with pytest.raises(HarnessError, match="environment Pendulm-v1: "):
        local(path, environment="Pendulm-v1")


def test_load_of_a_changed_file_reads_it_again_unless_a_digest_is_recorded(generated):
    path = generated()
    settle(path)
    first = local(path)
    write_raw(path, random_steps(np.random.default_rng(1)))
    settle(path)
    assert local(path).digest != first.digest
    files.record_digest(path, "0" * 64)
    with pytest.raises(
        HarnessError, match=r"its SHA-256 is .*, not 000000000000… as recorded in generated.hdf5.sha256"
    ):
        local(path)


def test_load_of_a_registered_dataset_downloads_it_once(monkeypatch, generated):
    path = generated(observation_size=11, action_size=3, limit=1000, rows=3000, terminal_rate=0.001)
    with serving() as server:
        server.files["/gym_mujoco_v2/hopper_medium-v2.hdf5"] = path.read_bytes()
        entry = replace(
            registry.find("hopper-medium-v2"),
            url=f"{server.url}/gym_mujoco_v2/hopper_medium-v2.hdf5",
            size=path.stat().st_size,
            sha256=None,
        )
        monkeypatch.setattr(registry, "registered", lambda: {"hopper-medium-v2": entry})
        assert datasets.download_size("hopper-medium-v2") == path.stat().st_size
        found = datasets.load("hopper-medium-v2")
        assert datasets.download_size("hopper-medium-v2") == 0
        again = datasets.load("hopper-medium-v2")
    assert len(server.requests) == 1
    assert found.digest == again.digest
    assert found.environment.id == "harness.environments:D4RL/Hopper-v4"


def test_load_of_a_mixture_takes_its_shares_and_always_the_same_rows():
    shares = {"pendulum-random-v0": 0.3, "pendulum-medium-replay-v0": 0.7}
    settings = DatasetSettings(name="mix", mixture=shares)
    found = datasets.load(settings)
    parts = {name: {row.tobytes() for row in datasets.load(name).transitions} for name in shares}
    counts = {name: sum(row.tobytes() in rows for row in found.transitions) for name, rows in parts.items()}
    total = len(datasets.load("pendulum-medium-replay-v0"))
    assert len(found) == total
    assert counts == {
        "pendulum-random-v0": round(0.3 * total),
        "pendulum-medium-replay-v0": total - round(0.3 * total),
    }
    assert len({row.tobytes() for row in found.transitions}) == total
    assert datasets.load(settings).digest == found.digest
    assert found.environment.id == "Pendulum-v1"
    assert found.reference == datasets.load("pendulum-random-v0").reference


def test_load_with_next_actions_gives_the_recorded_action_of_the_next_step(generated):
    values = random_steps(np.random.default_rng(0))
    settings = DatasetSettings(name="mine", path=str(generated()))
    found = datasets.load(settings, next_actions=True)
    rows = np.flatnonzero(~values["timeouts"][:-1])
    assert np.array_equal(found.next_actions, values["actions"][rows + 1])
    assert not found.next_actions.flags.writeable
    assert datasets.load(settings).next_actions is None
    assert found.digest == datasets.load(settings).digest


def test_load_with_next_actions_repeats_the_action_of_a_cut_step_that_is_kept(generated):
    values = random_steps(np.random.default_rng(0), next_observations=True)
    settings = DatasetSettings(name="mine", path=str(generated(next_observations=True)))
    found = datasets.load(settings, DataSettings(timeout_steps="keep"), next_actions=True)
    expected = np.append(values["actions"][1:], values["actions"][-1:], axis=0)
    expected[values["timeouts"]] = values["actions"][values["timeouts"]]
    assert np.array_equal(found.next_actions, expected)


def test_load_of_a_mixture_with_next_actions_pairs_them_with_the_same_rows():
    shares = {"pendulum-random-v0": 0.3, "pendulum-medium-replay-v0": 0.7}
    found = datasets.load(DatasetSettings(name="mix", mixture=shares), next_actions=True)
    following = {}
    for name in shares:
        part = datasets.load(name, next_actions=True)
        following |= {row.tobytes(): a for row, a in zip(part.transitions, part.next_actions, strict=True)}
    expected = np.array([following[row.tobytes()] for row in found.transitions])
    assert np.array_equal(found.next_actions, expected)


def test_load_with_next_actions_of_rows_in_no_order_is_rejected(generated):
    def shuffle(values):
        rows = np.random.default_rng(0).permutation(200)
        values.update({key: array[rows] for key, array in values.items()})

    settings = DatasetSettings(name="mine", path=str(generated(change=shuffle, next_observations=True)))
    with pytest.raises(
        HarnessError, match=r"next actions .* unknown, because its rows are not in chronological order"
    ):
        datasets.load(settings, next_actions=True)


def test_mixture_of_different_tasks_is_rejected():
    settings = DatasetSettings(name="mix", mixture={"pendulum-random-v0": 0.5, "hopper-medium-v2": 0.5})
    for function in (datasets.check, datasets.load):
        with pytest.raises(HarnessError, match=r"to different tasks \(hopper, pendulum\)"):
            function(settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "hopper-medium-v9"}, "unknown dataset 'hopper-medium-v9'; did you mean hopper-medium-v2"),
        ({"name": "x", "path": "nowhere.hdf5"}, "nowhere.hdf5: no such file"),
        ({"name": "mix", "mixture": {"hoper-medium-v2": 1.0}}, "unknown dataset 'hoper-medium-v2'"),
        ({"name": "minari:whatever"}, "is not a Minari dataset id"),
    ],
)
def test_check_of_what_cannot_be_loaded_is_rejected(settings, said):
    with pytest.raises(HarnessError, match=said):
        datasets.check(DatasetSettings(**settings))


@pytest.mark.parametrize("name", ["pendulum-expert-v0", "hopper-medium-v2", "minari:mujoco/hopper/medium-v0"])
def test_check_reads_and_downloads_nothing(name, monkeypatch):
    monkeypatch.setattr(download, "download", lambda *_: pytest.fail("fetched"))
    datasets.check(name)
    assert not Path(os.environ["D4RL_DATASET_DIR"]).exists()


def test_check_of_a_web_page_is_rejected(tmp_path):
    (tmp_path / "data.hdf5").write_text("<html></html>")
    with pytest.raises(HarnessError, match="is a web page"):
        datasets.check(DatasetSettings(name="x", path=str(tmp_path / "data.hdf5")))


def test_download_size_is_that_of_files_that_are_not_here():
    assert datasets.download_size("pendulum-expert-v0") == 0
    assert datasets.download_size("hopper-medium-v2") == 152_756_557
    assert datasets.download_size("relocate-human-v1") is None
    assert datasets.download_size(DatasetSettings(name="x", path="x.hdf5")) == 0
    shares = {"hopper-medium-v2": 0.5, "hopper-expert-v2": 0.5}
    assert datasets.download_size(DatasetSettings(name="mix", mixture=shares)) == 152_756_557 + 152_427_435


def test_environment_note_says_what_scores_are():
    assert "-v4" in datasets.environment_note("hopper-medium-v2")
    assert datasets.environment_note("pendulum-expert-v0") is None
    assert datasets.environment_note(DatasetSettings(name="mine", path="x.hdf5")) is None
    assert "success rates x 100; evaluated on" in datasets.environment_note("antmaze-umaze-v2")
    antmaze = "harness.environments:D4RL/antmaze-umaze-v2"
    own = datasets.environment_note(DatasetSettings(name="mine", path="x.hdf5"), evaluated_on=antmaze)
    assert own == "normalized scores are success rates x 100"
    other = DatasetSettings(name="hopper-medium-v2", environment="Hopper-v5")
    assert "Hopper-v5, which is not the task" in datasets.environment_note(other)
