"""Tests that docs/hyperparameter-search.md names existing settings and commands."""

from __future__ import annotations

import re
from pathlib import Path

from harness import experiment_file, safe_yaml
from harness.reporting.catalogue import FIGURES, OFFLINE_RULES, SAMPLE_RULES, SCORES, TABLES
from harness.search.spaces import SPACES
from harness.training.settings import SelectionSettings

TEXT = (Path(__file__).parents[2] / "docs" / "hyperparameter-search.md").read_text()


def test_selection_block_is_valid_and_its_table_names_all_settings() -> None:
    (block,) = re.findall(r"```yaml\n(selection:.*?)```", TEXT, re.DOTALL)
    content = safe_yaml.read(block, "the page")
    assert isinstance(content, dict)
    settings = SelectionSettings.model_validate(content["selection"])
    rows = re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(SelectionSettings.model_fields) - {"method"} <= named
    assert settings.gradient_steps == SelectionSettings().gradient_steps


def test_commands_name_tables_figures_and_rules_that_exist() -> None:
    assert set(re.findall(r"--table ([\w-]+)", TEXT)) <= set(TABLES)
    assert set(re.findall(r"--figure ([\w-]+)", TEXT)) <= set(FIGURES)
    assert set(re.findall(r"--by ([\w-]+)", TEXT)) <= {*OFFLINE_RULES, *SCORES}
    assert set(re.findall(r"--select ([\w-]+)", TEXT)) <= set(SAMPLE_RULES)


def test_sweep_and_halving_blocks_are_valid_and_all_ranges_are_named() -> None:
    blocks = ("algorithms", "halving")
    sweep, halving = (re.findall(rf"```yaml\n({key}:.*?)```", TEXT, re.DOTALL) for key in blocks)
    settings = "name: x\ndatasets: [pendulum-medium-v0]\nseeds: 1\nevaluation: {interval: 500}\n"
    experiment = experiment_file.parse(settings + sweep[0] + halving[0], "docs")
    assert len(experiment.searches()["td3_bc"].samples) == 32
    assert experiment.rungs == (1000, 3000)
    ranges = TEXT.partition("| range |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`\{(\w+):", ranges)) == set(SPACES)
