import json

import pytest

from harness import experiment_file
from harness.cli import main


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text("name: small\ndatasets: [pendulum-random-v0]\nalgorithms: [td3_bc]\nseeds: 2\n")
    return str(path)


def test_validate_prints_an_experiment_with_every_default(file, capsys, tmp_path):
    assert main(["validate", file, "--set", "training.gradient_steps=7", "--seeds", "4,5"]) == 0
    printed = tmp_path / "printed.yaml"
    printed.write_text(capsys.readouterr().out)
    experiment = experiment_file.load(printed)
    assert experiment == experiment_file.load(file, ["training.gradient_steps=7"], "4,5")
    assert "alpha: 2.5" in printed.read_text()
    assert "interval: 5000" in printed.read_text()


def test_validate_as_json_is_the_same_experiment(file, capsys):
    assert main(["validate", file, "--json"]) == 0
    expected = experiment_file.load(file).model_dump(mode="json")
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(expected))


def test_validate_of_a_wrong_file_prints_one_line(file, capsys):
    assert main(["validate", file, "--set", "training.gradient_stebs=7"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "did you mean gradient_steps?" in captured.err
