import sys
from importlib.metadata import EntryPoint

import pytest

from harness import datasets, experiment_file
from harness.datasets import provided, registry
from harness.datasets.settings import DatasetSettings
from harness.errors import HarnessError

LAB = """
FILE = {file!r}

def pendulum():
    return {{"path": FILE, "environment": "Pendulum-v1", "label": "Lab"}}

def failing():
    raise OSError("no disk")

def empty():
    return {{}}

def wrong():
    return {{"path": FILE, "enviroment": "Pendulum-v1"}}
"""


@pytest.fixture
def lab(tmp_path, monkeypatch, generated):
    """Return the path of the file that the entry points of an installed package provide."""
    file = str(generated(observation_size=3, action_size=1))
    (tmp_path / "lab_with_data.py").write_text(LAB.format(file=file))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lab_with_data", raising=False)
    names = ("pendulum", "failing", "empty", "wrong", "missing")
    points = {f"lab-{name}": EntryPoint(f"lab-{name}", f"lab_with_data:{name}", "") for name in names}
    monkeypatch.setattr(registry, "installed", lambda: points)
    return file


def test_experiment_with_a_provided_dataset_has_its_file_and_environment(lab, tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text("name: small\ndatasets: [lab-pendulum]\nalgorithms: [bc]\nseeds: 1\n")
    (dataset,) = experiment_file.load(path).datasets
    assert dataset == DatasetSettings(name="lab-pendulum", path=lab, environment="Pendulum-v1", label="Lab")


def test_settings_of_the_experiment_precede_those_of_the_package(lab):
    found = provided.with_file(DatasetSettings(name="lab-pendulum", environment="Other-v0"))
    assert (found.path, found.environment) == (lab, "Other-v0")


def test_load_and_describe_of_a_provided_dataset_read_its_file(lab):
    assert datasets.load("lab-pendulum").environment.id == "Pendulum-v1"
    assert lab in datasets.describe("lab-pendulum").facts["file"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("failing", "OSError: no disk"),
        ("empty", "it must return a dictionary with the path of a file, not {}"),
        ("wrong", "unknown key enviroment; did you mean environment"),
        ("missing", "AttributeError: module .* has no attribute 'missing'"),
    ],
)
@pytest.mark.usefixtures("lab")
def test_entry_point_that_provides_no_file_is_named_in_one_line(name, problem):
    with pytest.raises(HarnessError, match=f"dataset lab-{name} of the entry point .*{problem}"):
        datasets.check(f"lab-{name}")


def test_names_of_registered_datasets_cannot_be_provided(monkeypatch):
    points = [EntryPoint(name, "lab:data", "") for name in ("pendulum-expert-v0", "own")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert list(registry.installed.__wrapped__()) == ["own"]
