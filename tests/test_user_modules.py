from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.user_modules import folders_of, folders_of_results, make_importable


def test_folders_are_the_experiments_and_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folders_of("lab/point.yaml") == (str(tmp_path / "lab"), str(tmp_path))
    assert folders_of("point.yaml") == (str(tmp_path),)


@pytest.mark.parametrize("first", ["", "folder", "/other"])
def test_own_modules_are_found_after_everything_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """`python -m` puts the current folder first, the console script does not have it at all."""
    folder = str(tmp_path)
    entry = folder if first == "folder" else first
    monkeypatch.setattr(sys, "path", [entry, "/site-packages"])
    make_importable([folder])
    make_importable([folder])
    assert sys.path == [*(["/other"] if first == "/other" else []), "/site-packages", folder]


def test_folders_inside_a_results_directory_are_not_searched_for_modules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results, lab = tmp_path / "results", tmp_path / "lab"
    recorded = [str(lab), str(results / "trials"), str(results)]
    assert folders_of_results(recorded, "results") == [str(lab), str(tmp_path)]
