"""Tests of the code on every page: Python runs, experiments are valid, commands exist.

A block that cannot run is preceded by a comment with the reason, `<!-- not run: it requires an account -->`.
"""

import re
import shlex
import shutil

import click
import numpy as np
import pytest
import yaml

from harness import experiment_file
from harness.algorithms.registry import without_importing
from harness.cli import cli
from tests.commands.policies import write_results
from tests.docs.pages import PAGES, ROOT, blocks, commands, name

TESTED_ELSEWHERE = {"README.md", "docs/your-own-algorithm.md"}
"""Pages whose Python code is tested by test_readme.py and test_your_own_algorithm.py."""

SMALL = {
    "name": "small",
    "datasets": ["pendulum-expert-v0"],
    "algorithms": ["bc"],
    "seeds": 1,
    "training": {"gradient_steps": 10_000},
    "evaluation": {"interval": 250},
}
"""Completes parts of an experiment file, together with earlier parts on the same page."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with the results of an experiment on Pendulum, as pages assume."""
    write_results(
        tmp_path / "results" / "pendulum",
        name="pendulum",
        datasets=["pendulum-expert-v0"],
        algorithms=["td3_bc"],
    )
    for table in ("evaluations.parquet", "scores.csv"):
        shutil.copy(ROOT / "results" / "reference" / "pendulum" / table, tmp_path / "results" / "pendulum")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if blocks(page, "python") and name(page) not in TESTED_ELSEWHERE],
    ids=name,
)
@pytest.mark.usefixtures("folder")
def test_python_on_a_page_runs(page):
    names = {"observation": np.zeros(3, np.float32), "observations": np.zeros((2, 3), np.float32)}
    for block in blocks(page, "python"):
        if block.reason is None:
            exec(compile(block.text, block.where, "exec"), names)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=name)
def test_experiments_on_a_page_are_valid(page):
    parts = SMALL
    for block in blocks(page, "yaml"):
        if block.reason is not None:
            continue
        part = yaml.safe_load(block.text)
        parts = parts | part
        whole = block.text if "name" in part else yaml.safe_dump(parts)
        with without_importing():  # modules are files of the reader's
            experiment_file.parse(whole, block.where)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_on_a_page_name_their_language(page):
    assert [block.where for block in blocks(page) if not block.language] == []


def test_experiments_named_on_pages_exist():
    for page in PAGES:
        for path in re.findall(r"\bexperiments/[\w./-]+\.(?:yaml|py|sh)\b", page.read_text()):
            assert (ROOT / path).exists(), (name(page), path)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name)
def test_commands_on_a_page_exist(page):
    for command in commands(page):
        assert_exists(shlex.split(command.text)[1:], command.where)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_init_on_a_page_names_an_existing_task_or_dataset(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        words = shlex.split(command.text)[1:]
        if words[0] == "init" and len(words) > 1:
            assert cli(words, standalone_mode=False) in (None, 0), command.where


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_compare_on_a_page_has_two_results_or_a_baseline(page):
    for command in commands(page):
        words = shlex.split(command.text)[2:]
        if command.text.startswith("harness compare") and words:
            results = [word for word in words[:2] if word[0] != "-"]
            assert (len(results) == 2) != ("--baseline" in words), command.where


def assert_exists(words, where):
    """Check that the verb and options of a command exist; values are ignored, because pages write DIR."""
    command = cli
    context = click.Context(cli, info_name="harness")
    known = {"--help", "--version", "--debug"}
    while isinstance(command, click.Group) and words and words[0].islower() and words[0][0] != "-":
        context = click.Context(command, info_name=command.name, parent=context)
        command = command.get_command(context, words.pop(0))
        assert command is not None, where
    for parameter in command.params:
        known |= {*parameter.opts, *parameter.secondary_opts}
    unknown = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)} - known
    assert unknown == set(), f"{where}: {command.name} has no {unknown}"
