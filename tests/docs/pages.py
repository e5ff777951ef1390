"""The pages of the documentation, and the code on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w*).*\n(?P<text>(?:.*\n)*?)(?P=indent)```",
    flags=re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of code, or a command between backquotes in the text.

    Attributes:
        where: the page and line, for the reader of a failure.
        language: the word after the three backquotes.
        text: the code.
        reason: why it cannot run, from the comment `not run: REASON` on the line before; None otherwise.
    """

    where: str
    language: str
    text: str
    reason: str | None = None


def name(page: Path) -> str:
    """Return the page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Return the blocks of a page, or only those of a language."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(
            f"{name(page)}:{text.count(chr(10), 0, match.start('text'))}",
            match["language"],
            match["text"],
            match["reason"],
        )
        for match in BLOCK.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def commands(page: Path) -> list[Block]:
    """Return every `harness ...` command on a page, from shell blocks and text."""
    found = []
    for block in blocks(page, "bash"):
        if block.reason is None:
            lines = block.text.replace("\\\n", " ").splitlines()
            found += [Block(block.where, "bash", part) for line in lines for part in _harness_commands(line)]
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    inline = re.findall(r"`(harness [^`]+)`", prose)
    indented = [
        part for line in re.findall(r"^    (.+)$", prose, re.MULTILINE) for part in _harness_commands(line)
    ]
    found += [Block(name(page), "bash", text) for text in inline + indented]
    return found


def _harness_commands(line: str) -> list[str]:
    """Return the commands of a line, which may chain several and end with a comment."""
    parts = re.split(r"&&|\||>| -- ", re.sub(r"\s#.*", "", line))
    return [part.strip() for part in parts if part.strip().startswith("harness ")]
