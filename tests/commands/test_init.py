from importlib.metadata import EntryPoint

import pytest

from harness import experiment_file
from harness.cli import main
from harness.commands.init import PROTOCOLS
from harness.datasets import registry

TASKS = sorted({name.partition("-")[0] for name in registry.registered()})


@pytest.fixture(autouse=True)
def _in_an_empty_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_init_without_a_name_writes_an_experiment_that_needs_no_download(capsys, tmp_path):
    assert main(["init"]) == 0
    assert "run it with:   harness run pendulum-medium-replay-v0.yaml" in capsys.readouterr().out
    experiment = experiment_file.load("pendulum-medium-replay-v0.yaml")
    assert all(registry.find(dataset.name).url is None for dataset in experiment.datasets)
    assert experiment.name == "pendulum-medium-replay-v0"


@pytest.mark.parametrize("task", TASKS)
def test_init_of_a_task_takes_its_newest_datasets(task):
    assert main(["init", task]) == 0
    names = [dataset.name for dataset in experiment_file.load(f"{task}.yaml").datasets]
    assert len({name.rpartition("-")[2] for name in names}) == 1
    assert set(names) <= registry.registered().keys()


def test_init_of_a_dataset_of_an_installed_package_names_it(monkeypatch, tmp_path):
    (tmp_path / "lab_data.py").write_text("def lift():\n    return {'path': 'lift.hdf5'}\n")
    (tmp_path / "lift.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("lab-lift-v0", "lab_data:lift", "")
    monkeypatch.setattr(registry, "installed", lambda: {point.name: point})
    assert main(["init", "lab-lift-v0"]) == 0
    assert [each.name for each in experiment_file.load("lab-lift-v0.yaml").datasets] == ["lab-lift-v0"]


def test_init_of_antmaze_has_its_rewards_and_evaluations():
    assert main(["init", "antmaze-umaze-v2", "--output", "new/mine.yaml"]) == 0
    experiment = experiment_file.load("new/mine.yaml")
    assert experiment.name == "mine"
    assert experiment.data.rewards.shift == -1
    assert experiment.evaluation.episodes == 100
    assert experiment.algorithms["iql"].model_dump()["expectile"] == 0.9


def test_every_protocol_is_that_of_a_known_task():
    assert PROTOCOLS.keys() <= {*TASKS, "ogbench"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["hoper"], "unknown task or dataset 'hoper'; did you mean hopper or "),
        (["hopper-medum-v2"], "did you mean hopper-medium-v2"),
        (["minari:x"], "minari:x is not a Minari dataset id"),
        (["hopper", "--output", "my file.yaml"], "my file.yaml: name: invalid experiment name 'my file'"),
        (["hopper", "--output", "taken.yaml"], "taken.yaml already exists; choose another name"),
    ],
)
def test_init_that_is_rejected_writes_nothing(arguments, complaint, capsys, tmp_path):
    (tmp_path / "taken.yaml").write_text("mine")
    assert main(["init", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
