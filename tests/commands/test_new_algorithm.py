import sys

import pytest

from harness import experiment_file
from harness.cli import main
from harness.testing import check_algorithm


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_iql", None)


def test_new_algorithm_runs_as_it_is(folder, capsys):
    assert main(["new-algorithm", "my-iql"]) == 0
    assert "run them with: harness run my_iql.yaml" in capsys.readouterr().out
    import my_iql

    check_algorithm(my_iql.MyIql, {"hidden_sizes": (16,), "batch_size": 32}, improves=False)
    experiment = experiment_file.load("my_iql.yaml")
    assert list(experiment.algorithms) == ["my_iql", "td3_bc", "bc"]
    assert experiment.algorithms["my_iql"].algorithm == "my_iql:MyIql"


def test_new_algorithm_does_not_replace_a_file(folder, capsys):
    (folder / "my_iql.yaml").write_text("mine")
    assert main(["new-algorithm", "my_iql"]) == 2
    assert "my_iql.yaml already exists; choose another name" in capsys.readouterr().err
    assert (folder / "my_iql.yaml").read_text() == "mine"
    assert not (folder / "my_iql.py").exists()


@pytest.mark.parametrize("name", ["9lives", "class", "my iql", "größe"])
def test_name_that_python_cannot_import_is_rejected(name, folder, capsys):
    assert main(["new-algorithm", name]) == 2
    assert "is not a valid module name; use letters, digits and _" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["td3_bc", "numpy", "harness", "string", "sys"])
def test_name_of_an_installed_module_or_algorithm_is_rejected(name, folder, capsys):
    assert main(["new-algorithm", name]) == 2
    assert f"{name} is already an installed module or algorithm" in capsys.readouterr().err
    assert not list(folder.iterdir())
