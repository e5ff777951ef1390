"""Tests of the code in README, and of the links in README and docs."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from harness import experiment_file
from harness.testing import check_algorithm

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_readme_is_short():
    assert len(README.splitlines()) <= 130


def test_experiment_of_the_readme_is_valid():
    (text,) = blocks("yaml")
    experiment = experiment_file.parse(text, "README.md")
    assert "td3_bc-gentle" in experiment.algorithms


def test_algorithm_of_the_readme_passes_its_check(tmp_path, monkeypatch):
    (tmp_path / "readme_cloning.py").write_text(blocks("python")[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    import readme_cloning

    check_algorithm(readme_cloning.MyCloning, {"batch_size": 32}, improves=False)
    sys.modules.pop("readme_cloning")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_on_a_page_point_to_existing_files(page):
    text = re.sub(r"`[^`]*`|```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_repository_urls_equal_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (address,) = {url.partition("/issues")[0].partition("/blob")[0] for url in project["urls"].values()}
    for page in PAGES[:2]:
        cloned = re.findall(r"git clone (\S+)", page.read_text(encoding="utf-8"))
        assert cloned == [address]
