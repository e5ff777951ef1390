"""What MkDocs calls while it builds the site: generated references, links out of docs/, equations."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.docs import command_line, equations, links, published_scores, settings_tables

MARKER = re.compile(r"<!-- generated: (?P<what>[a-z-]+)(?: (?P<name>\S+))? -->")
ROOT_PAGES = {"contributing.md": links.ROOT / "CONTRIBUTING.md", "changelog.md": links.ROOT / "CHANGELOG.md"}
"""Pages whose text is at the root of the repository, where hosts of code look for it."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Link the site to the repository that pyproject.toml names."""
    config.repo_url = links.repository()
    config.repo_name = "Repository"
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root folder, and the pictures that pages show from other folders."""
    for page, path in ROOT_PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(path)))
    for picture, place in _pictures().items():
        files.append(File.generated(config, place, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in generated references, then let links lead somewhere from the site."""
    place = page.file.src_uri
    source = ROOT_PAGES.get(place, links.DOCS / place)
    outside = {path: page for page, path in ROOT_PAGES.items()} | _pictures()
    text = MARKER.sub(lambda found: generate(found["what"], found["name"]), markdown)
    return links.rewritten(text, source, place, outside)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Draw inline equations."""
    return equations.inline(html)


def generate(what: str, name: str | None) -> str:
    """Return the Markdown that stands for a marker.

    Raises:
        KeyError: when no such part is generated.
    """
    parts: dict[str, Callable[[], str]] = {
        "command-line": command_line.reference,
        "algorithms": settings_tables.algorithms,
        "experiment-file": settings_tables.experiment_file,
        "hyperparameters": lambda: settings_tables.algorithm(str(name)),
        "published": lambda: published_scores.table(str(name)),
        "scores": lambda: _scores(str(name)),
    }
    return parts[what]()


def _scores(name: str) -> str:
    """Return the table of scores of reference results."""
    path = links.ROOT / "results" / "reference" / name / "tables" / "scores.md"
    return path.read_text(encoding="utf-8").rstrip()


@cache
def _pictures() -> dict[Path, str]:
    """Pictures outside docs/ that some page shows, and their places on the site."""
    pages = [*links.DOCS.rglob("*.md"), *ROOT_PAGES.values()]
    found = [
        picture for page in pages for picture in links.images_outside(page.read_text(encoding="utf-8"), page)
    ]
    return {picture: f"pictures/{picture.relative_to(links.ROOT).as_posix()}" for picture in found}
