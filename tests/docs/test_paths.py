"""The files and folders of the code that pages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.algorithms.registry import BUILT_IN
from tests.docs import pages

PATH = re.compile(r"`((?:[\w.]+/)*(?:\w+\.py|[\w.]+/))`")
PLACES = [pages.ROOT, pages.ROOT / "harness", *(pages.ROOT / "harness").glob("*/")]
PLACEHOLDER = re.compile("NAME|my_")
"""Marks paths of the reader."""


def named(text: str) -> list[str]:
    return [path for path in PATH.findall(text) if not PLACEHOLDER.search(path)]


def test_named_finds_files_and_folders_but_no_placeholders() -> None:
    text = "`commands/`, `tuning/events.py`, `trial.py`, `algorithms/NAME.py`, `my_file.py`, `update`"
    assert named(text) == ["commands/", "tuning/events.py", "trial.py"]


@pytest.mark.parametrize("page", [pages.ROOT / "CONTRIBUTING.md", pages.ROOT / "docs" / "architecture.md"])
def test_paths_on_a_page_about_the_code_exist(page: Path) -> None:
    missing = [
        path for path in named(page.read_text()) if not any((place / path).exists() for place in PLACES)
    ]
    assert missing == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_algorithm_has_a_page(name: str) -> None:
    assert (pages.ROOT / "docs" / "algorithms" / f"{name}.md").exists()
