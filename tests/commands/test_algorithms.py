import json
import sys

import pytest

from harness.algorithms.registry import BUILT_IN
from harness.cli import main


def test_list_has_every_built_in_algorithm_with_its_paper(capsys):
    assert main(["algorithms"]) == 0
    shown = capsys.readouterr().out
    for name, algorithm in BUILT_IN.items():
        assert f"\n{name} " in f"\n{shown}"
        assert algorithm.paper in shown


def test_list_as_json_names_the_source(capsys):
    assert main(["algorithms", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["td3_bc"]["title"] == "TD3+BC"
    assert rows["td3_bc"]["source"] == "built in"


def test_one_algorithm_is_shown_with_type_default_and_meaning(capsys):
    assert main(["algorithms", "td3_bc"]) == 0
    shown = capsys.readouterr().out
    assert "alpha: number >= 0 = 2.5\n    Weight of the Q term" in shown
    assert "hidden_sizes: list of whole number = [256, 256]" in shown
    assert "implementation: auto | autograd | fused" in shown
    assert "gradient_norm_clip: number or null = null" in shown


@pytest.mark.parametrize("name", BUILT_IN)
def test_hyperparameters_as_json_are_a_schema(name, capsys):
    assert main(["algorithms", name, "--json"]) == 0
    assert "batch_size" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize(
    ("documented", "first_line"),
    [
        ({"Settings": "Of the settings."}, "Mine: Of the settings."),
        ({"Mine": "Of the algorithm.\n\n    More."}, "Mine: Of the algorithm."),
        ({}, "Mine"),
    ],
)
def test_algorithm_of_a_user_is_shown_with_what_documents_it(
    documented, first_line, tmp_path, monkeypatch, capsys
):
    text = "from harness.algorithms import AutogradLearner, Hyperparameters\n"
    for name, base in (("Settings", "Hyperparameters"), ("Mine", "AutogradLearner[Settings]")):
        text += f'class {name}({base}):\n    """{documented.get(name, "")}"""\n'
        text += "    strength: float\n"
    text += "    networks = update = lambda *_: None\n"
    module = f"documented_{len(first_line)}"
    (tmp_path / f"{module}.py").write_text(text.replace('    """"""\n', "    other: int = 3\n"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["algorithms", f"{module}:Mine"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == first_line
    assert "strength: number, required" in shown


def test_unknown_algorithm_gets_one_line(capsys):
    assert main(["algorithms", "td3bc"]) == 2
    assert "unknown algorithm 'td3bc'; did you mean td3_bc" in capsys.readouterr().err
