"""`harness evaluate`, as a user types it."""

import json

import pytest

from harness import cli
from harness.reporting import captions
from harness.reporting.reading import load
from tests.commands.policies import write_results


@pytest.fixture(autouse=True)
def _in_an_empty_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "small")


def said(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    return status, capsys.readouterr()


def test_policies_are_evaluated_into_a_file_that_tables_take(capsys, directory, tmp_path):
    output = tmp_path / "more.parquet"
    status, text = said(capsys, "evaluate", directory, "--episodes", 3, "--output", output)
    assert status == 0
    assert "with exactly equal returns for 4 of 4 policies" in " ".join(text.out.split())
    results = load(output)
    assert results.algorithms == ["td3_bc", "bc"]
    assert captions.episodes(results) == "3"
    assert said(capsys, "table", output)[0] == 0
    assert said(capsys, "compare", directory, output)[0] == 0


def test_files_in_the_results_directory_are_numbered(capsys, directory):
    for number in (1, 2):
        status, text = said(capsys, "evaluate", directory, "--episodes", 1, "--only", "seed=1")
        assert status == 0
        assert f"{directory}/evaluation-{number}.parquet" in text.out
    assert len(load(directory / "evaluation-2.parquet").frame) == 2


def test_single_file_is_evaluated_into_the_current_directory(capsys, directory, tmp_path):
    policy = next(directory.glob("trials/bc--*--1/policy.npz"))
    status, text = said(capsys, "evaluate", policy, "--episodes", 2, "--seed", 5, "--json")
    assert status == 0
    answer = json.loads(text.out)
    assert answer["file"] == "evaluation-1.parquet"
    assert (tmp_path / "evaluation-1.parquet").exists()
    (row,) = answer["each"]
    assert (row["variant"], row["seed"], row["reproduced"]) == ("bc", 1, None)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere",), "nowhere: no such policy file or results directory"),
        (("{}", "--only", "algorithm=bx"), "no algorithm bx; did you mean bc?"),
        (("{}", "--environment", "Hopper-v4"), "those of environment Hopper-v4 have shape (11,)"),
        (("{}", "--environment", "Hopper"), "environment Hopper: the id lacks a version; write Hopper-v"),
        (("{}", "--output", "x.csv"), "--output x.csv: the name must end in .parquet"),
        (("{}", "--policy", "best"), "no `best` policies; it has policy.npz"),
        (("{}/experiment.yaml",), "experiment.yaml: not a policy file, or damaged"),
    ],
)
def test_bad_input_gets_one_line(capsys, directory, arguments, complaint):
    status, text = said(capsys, "evaluate", *(each.format(directory) for each in arguments))
    assert status == 2
    assert text.err.count("\n") == 1
    assert complaint in text.err
    assert not text.out
