"""Links between pages that work both in the repository and on the site."""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>(?!https?:|mailto:|#)[^)#\s]+)(?P<anchor>#[^)]*)?\)"
)
CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", flags=re.DOTALL | re.MULTILINE)


def repository() -> str:
    """Return the address of the repository, which pyproject.toml has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address: str = project["urls"]["Repository"]
    return address.rstrip("/")


def rewritten(markdown: str, source: Path, page: str, outside: Mapping[Path, str]) -> str:
    """Return a page whose links to files outside docs/ lead somewhere from the site.

    Args:
        markdown: the text.
        source: the file that its links are relative to.
        page: the page's path on the site, such as `algorithms/iql.md`.
        outside: files outside docs/ that the site has, and where; the rest is linked in the repository.
    """

    def link(found: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / found["target"]))
        if target in outside:
            there = outside[target]
        elif target.is_relative_to(DOCS):
            target = target / "index.md" if target.is_dir() else target
            there = target.relative_to(DOCS).as_posix()
        else:
            kind = "tree" if target.is_dir() else "blob"
            there = f"{repository()}/{kind}/main/{target.relative_to(ROOT).as_posix()}"
            return f"[{found['text']}]({there})"
        relative = posixpath.relpath(there, posixpath.dirname(page) or ".")
        return f"{found['image']}[{found['text']}]({relative}{found['anchor'] or ''})"

    parts = CODE.split(markdown)  # every second one is code
    parts[::2] = [LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)


def images_outside(markdown: str, source: Path) -> list[Path]:
    """Return the pictures that a page shows and that are not in docs/."""
    targets = (source.parent / found["target"] for found in LINK.finditer(markdown) if found["image"])
    paths = [Path(os.path.normpath(target)) for target in targets]
    return [path for path in paths if not path.is_relative_to(DOCS)]
