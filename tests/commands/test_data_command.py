"""`harness data` as a user types it."""

import json
import re
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import h5py
import numpy as np
import pytest

from harness.commands.data import data
from harness.datasets import files, registry
from harness.errors import HarnessError
from tests.datasets.generate import random_steps, write_raw


@pytest.fixture
def harness(capsys):
    def call(*arguments):
        status = data.main([*map(str, arguments)], "data", standalone_mode=False)
        return status or 0, *capsys.readouterr()

    return call


def test_list_says_which_datasets_are_downloaded(harness, tmp_path):
    (tmp_path / "d4rl").mkdir()
    (tmp_path / "d4rl" / "hopper_medium-v2.hdf5").write_bytes(b"x" * 2_000_000)
    status, out, _ = harness("list", "hopper-*-v2", "pendulum-expert-v0", "kitchen-mixed-v0")
    lines = {line.split()[0]: " ".join(line.split()) for line in out.splitlines() if line.strip()}
    assert status == 0
    assert lines["hopper-medium-v2"] == "hopper-medium-v2 yes 2.0 MB D4RL/Hopper-v4"
    assert lines["hopper-expert-v2"] == "hopper-expert-v2 no 152.4 MB D4RL/Hopper-v4"
    assert lines["hopper-random-v2"].startswith("hopper-random-v2 no 152.5 MB")
    assert lines["pendulum-expert-v0"].startswith("pendulum-expert-v0 in the package")
    assert lines["kitchen-mixed-v0"] == "kitchen-mixed-v0 no unknown D4RL/kitchen-mixed-v0"
    _, out, _ = harness("list", "--here")
    assert "hopper-medium-v2" in out
    assert "hopper-expert-v2" not in out


def test_piped_list_has_a_whole_line_for_each_dataset(harness, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    lines = [line.split() for line in harness("list")[1].splitlines()]
    for name, dataset in registry.registered().items():
        environment = dataset.task.environment.rpartition(":")[2]
        assert any(line and line[0] == name and line[-1] == environment for line in lines)


def test_list_as_json_has_sizes_in_bytes(harness, tmp_path):
    (tmp_path / "d4rl").mkdir()
    (tmp_path / "d4rl" / "hopper_medium-v2.hdf5").write_bytes(b"x" * 2_000_000)
    rows = {row["name"]: row for row in json.loads(harness("list", "hopper-*-v2", "--json")[1])}
    assert (rows["hopper-medium-v2"]["here"], rows["hopper-medium-v2"]["bytes"]) == (True, 2_000_000)
    assert (rows["hopper-expert-v2"]["here"], rows["hopper-expert-v2"]["bytes"]) == (False, 152_427_435)


@pytest.fixture
def lab_hopper(generated, monkeypatch):
    """The path of a file that an installed package provides under the name lab-hopper-v2."""
    path = generated(observation_size=11, action_size=3)
    point = EntryPoint("lab-hopper-v2", "lab.data:hopper", "")
    monkeypatch.setattr(EntryPoint, "load", lambda _: lambda: {"path": path, "environment": "Hopper-v4"})
    monkeypatch.setattr(registry, "installed", lambda: {point.name: point})
    return path


@pytest.mark.usefixtures("lab_hopper")
def test_list_has_the_datasets_of_installed_packages(harness):
    first, *_, last = json.loads(harness("list", "--json")[1])
    assert last["name"] == "lab-hopper-v2"
    assert last["provided_by"] == "lab.data:hopper"
    assert last["here"] is last["bytes"] is None
    assert first["provided_by"] is None
    line = harness("list", "*-hopper-v2")[1].splitlines()[1]
    assert line.split() == ["lab-hopper-v2", "unknown", "unknown", "provided", "by", "lab.data:hopper"]
    assert "lab-hopper" not in harness("list", "--here")[1]


def test_download_and_verify_of_a_provided_dataset_use_its_file(harness, lab_hopper):
    assert harness("download", "lab-hopper-*")[1] == f"lab-hopper-v2: {lab_hopper}\n"
    assert "lab-hopper-v2: whole, 200 steps" in harness("verify", "lab-hopper-v2")[1]
    assert str(lab_hopper) in harness("info", "lab-hopper-v2")[1]


def test_info_as_json_has_every_return(harness):
    described = json.loads(harness("info", "pendulum-expert-v0", "--json")[1])
    assert (described["steps"], len(described["returns"])) == (40_000, 200)
    assert described["facts"]["timeouts"] == "200"


def test_info_describes_a_dataset(harness, tmp_path):
    status, out, _ = harness("info", "pendulum-expert-v0", "--plot", tmp_path / "returns.png")
    facts = {key.strip(): value for key, _, value in (line[2:].partition("  ") for line in out.splitlines())}
    assert status == 0
    assert facts["steps"].strip() == "40000 (observations 3, actions 1)"
    assert facts["episodes"].strip().startswith("200, 200 (")
    assert facts["terminals"].strip() == "0"
    assert facts["timeouts"].strip() == "200"
    assert "problem" not in facts
    with h5py.File(registry.find("pendulum-expert-v0").local_path) as file:
        score = registry.find("pendulum-expert-v0").reference.normalize(file.attrs["mean_return"])
    assert facts["normalized score"].strip().startswith(f"{score:.1f} ± ")
    assert "█" in out
    assert (tmp_path / "returns.png").read_bytes().startswith(b"\x89PNG")


def test_plot_that_fails_leaves_no_file(harness, tmp_path, monkeypatch):
    drawn = tmp_path / "returns.png"
    drawn.write_bytes(b"an earlier one")

    def full_disk(self, path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full_disk)
    with pytest.raises(HarnessError, match=r"returns.png: cannot be written \(No space left on device\)"):
        harness("info", "pendulum-expert-v0", "--plot", drawn)
    assert drawn.read_bytes() == b"an earlier one"
    assert list(tmp_path.glob(".returns*")) == []


@pytest.mark.parametrize("name", ["returns", "returns.gif2", "returns.jpg"])
def test_plot_in_an_unknown_format_is_rejected(harness, tmp_path, name):
    with pytest.raises(HarnessError, match="unknown format"):
        harness("info", "pendulum-expert-v0", "--plot", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_info_of_values_that_are_not_finite_names_the_first(harness, generated):
    path = generated(change=lambda values: values["observations"].__setitem__((slice(3), 0), np.nan))
    status, out, _ = harness("info", path, "--environment", "Hopper-v4")
    assert status == 0
    assert "problem" in out
    assert "observations has NaN or infinite values, the first in row 0" in out
    assert "-20.2723 (0) and 3234.3 (100)" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pendulum-expert-v0", "applies only to files; pendulum-expert-v0 has its own task"),
        ("minari:pen/human-v2", "applies only to files"),
        ("ogbench:pointmaze-medium-navigate-singletask-v0", "applies only to files"),
        ("./generated.hdf5", "environment Pendulm-v1: "),
    ],
)
def test_info_with_an_unknown_or_a_second_environment_is_rejected(harness, name, said):
    with pytest.raises(HarnessError, match=said):
        harness("info", name, "--environment", "Pendulm-v1")


def test_info_with_the_environment_of_another_task_names_both_sizes(harness, generated):
    path = generated(action_size=3)
    status, out, _ = harness("info", path, "--environment", "HalfCheetah-v4")
    assert status == 0
    assert re.search(
        r"observations +of size \d+, but those of HalfCheetah-v4 are of size 17: it is another", out
    )
    assert "of size 3, but HalfCheetah-v4 takes actions of size 6: it is another task" in out


def test_info_cuts_episodes_as_training_does(harness, generated):
    path = generated(rows=650, timeouts=False, terminal_rate=0)
    assert "3, 200 (median 200" in harness("info", path, "--environment", "Pendulum-v1")[1]


CASES = Path(__file__).parents[1] / "datasets" / "cases"


def facts_of(out):
    return {
        key.strip(): value.strip()
        for key, _, value in (line[2:].partition("  ") for line in out.splitlines())
    }


def test_info_shows_the_transitions_and_terminals_that_training_uses(harness):
    facts = facts_of(harness("info", CASES / "ends_as_timeouts.hdf5")[1])
    assert facts["steps"].startswith("1000 ")
    assert facts["transitions"].startswith("999 ")
    assert (facts["terminals"], facts["timeouts"]) == ("152", "0")


def test_info_of_rows_in_no_order_says_that_episodes_are_unknown(harness, tmp_path):
    with np.load(CASES / "shuffled.npz") as file:
        write_raw(tmp_path / "shuffled.hdf5", dict(file))
    facts = facts_of(harness("info", tmp_path / "shuffled.hdf5")[1])
    assert facts["episodes"] == "unknown (rows are not in chronological order)"
    assert facts["transitions"].startswith("1000 ")
    assert "return" not in facts


def test_info_reports_actions_outside_the_range(harness, generated):
    path = generated(observation_size=3, action_size=1, change=lambda values: values["actions"].fill(3))
    facts = facts_of(harness("info", path, "--environment", "Pendulum-v1")[1])
    assert "actions reach 3 in dimension 0" in facts["actions"]
    assert "data.clip_actions=true clips them" in facts["actions"]
    assert facts_of(harness("info", "pendulum-expert-v0")[1])["actions"] == "in the task's range"


def test_info_plots_returns_that_are_almost_equal(harness, generated):
    def change(values):
        values["rewards"][:] = 0
        values["rewards"][0] = np.float32(1)
        values["rewards"][30] = np.nextafter(np.float32(1), np.float32(2))

    path = generated(change=change, terminal_rate=0)
    assert harness("info", path, "--plot", path.with_suffix(".png"))[0] == 0


def test_info_of_a_dataset_that_is_not_downloaded_says_how_to_get_it(harness):
    status, out, _ = harness("info", "hopper-medium-v2")
    assert status == 0
    assert "not here (`harness data download hopper-medium-v2`, 152.8 MB)" in out


def test_verify_finds_changed_files(harness, tmp_path, monkeypatch):
    directory = tmp_path / "d4rl"
    directory.mkdir()
    good, bad = directory / "hopper_medium-v2.hdf5", directory / "hopper_expert-v2.hdf5"
    for path in (good, bad):
        write_raw(path, random_steps(np.random.default_rng(0), observation_size=11, action_size=3))
        files.record_digest(path, files.sha256(path))
    published = replace(registry.find("hopper-medium-v2"), sha256=files.sha256(good))
    registered = {**registry.registered(), "hopper-medium-v2": published}
    monkeypatch.setattr(registry, "registered", lambda: registered)
    content = bytearray(bad.read_bytes())
    content[-40] ^= 1
    bad.write_bytes(content)
    status, out, err = harness("verify")
    assert status == 1
    assert "hopper-medium-v2: whole, 200 steps, the published file" in out
    assert "pendulum-expert-v0: whole, 40000 steps, comes with this package" in out
    assert "hopper_expert-v2.hdf5: its SHA-256 is" in err
    assert "Traceback" not in err


def test_verify_of_a_file_that_was_not_published_fails_and_records_nothing(harness, tmp_path):
    path = tmp_path / "d4rl" / "hopper_medium-v2.hdf5"
    path.parent.mkdir()
    write_raw(path, random_steps(np.random.default_rng(0), observation_size=11, action_size=3))
    status, out, err = harness("verify", "hopper-medium-v2", "pendulum-expert-v0")
    assert status == 1
    assert out == "pendulum-expert-v0: whole, 40000 steps, comes with this package\n"
    assert f"{path}: its SHA-256 is {files.sha256(path)[:12]}…, that of the published file" in err
    assert not files.record_path(path).exists()
    assert harness("verify", path)[0] == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope.hdf5", r"^nope.hdf5: no such file$"),
        ("hopper-medium-v2", "no such file; download it with: harness data download hopper-medium-v2"),
        (
            "minari:mujoco/hopper/medium-v0",
            "Minari stores its own datasets; .* `minari download mujoco/hopper",
        ),
    ],
)
def test_verify_of_an_unknown_dataset_is_rejected_before_any_other_is_read(harness, name, said):
    with pytest.raises(HarnessError, match=said):
        harness("verify", "pendulum-expert-v0", name)


def test_options_and_verbs_that_do_not_apply_to_ogbench_are_rejected(harness):
    name = "ogbench:pointmaze-medium-navigate-singletask-v0"
    with pytest.raises(HarnessError, match="--mirror and --accept apply only to datasets of D4RL"):
        harness("download", name, "--accept")
    for verb in ("list", "verify"):
        with pytest.raises(HarnessError, match="files of OGBench are neither listed nor verified"):
            harness(verb, name)


def test_verify_records_the_digest_of_a_new_file(harness, generated):
    path = generated()
    assert "its SHA-256 is now recorded" in harness("verify", path)[1]
    assert "as recorded" in harness("verify", path)[1]


def test_verify_says_when_a_digest_cannot_be_recorded(harness, tmp_path, monkeypatch):
    path = tmp_path / "plain.hdf5"
    write_raw(path, random_steps(np.random.default_rng(0)))
    monkeypatch.setattr(files, "record_digest", lambda *_: False)
    said = harness("verify", path)[1]
    assert "whole, 200 steps, its SHA-256 cannot be recorded next to it" in said


def test_download_from_a_directory_copies_the_file(harness, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    write_raw(
        mirror / "kitchen_microwave_kettle_light_slider-v0.hdf5", random_steps(np.random.default_rng(0))
    )
    status, _, _ = harness("download", "kitchen-partial-v0", "--mirror", mirror)
    assert status == 0
    path = tmp_path / "d4rl" / "kitchen_microwave_kettle_light_slider-v0.hdf5"
    assert path.exists()
    assert str(path) in harness("download", "kitchen-partial-v0")[1]


def test_collected_data_can_be_imported_again(harness, tmp_path):
    status, out, _ = harness(
        "collect", "Pendulum-v1", "--output", tmp_path / "made", "--kinds", "random,random",
        "--transitions", "400", "--reference-episodes", "5", "--version", "v7",
    )  # fmt: skip
    assert status == 0
    assert out.split() == [str(tmp_path / "made" / "pendulum_random-v7.hdf5")]
    with h5py.File(tmp_path / "made" / "pendulum_random-v7.hdf5") as file:
        arrays = {key: file[key][:] for key in file}
    np.savez(tmp_path / "data.npz", **arrays)
    status, out, _ = harness("import", tmp_path / "data.npz", "--environment", "Pendulum-v1")
    assert status == 0
    assert "data.hdf5: 400 steps, 2 episodes" in out
