"""The source files that a user's own module consists of."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.user_modules import INSTALLED, is_of_user


def of_module(name: str) -> str | None:
    """Return the digest of an imported module of the user; None for one that is installed or not imported."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return digest(name, Path(file)) if file and is_of_user(file) else None


def digest(module: str, file: Path) -> str:
    """Return the SHA-256 of a module's file and of all files that it imports from its own folder or package.

    Without such imports it is the SHA-256 of the file itself. Imports are read from the source, also inside
    functions and of the imported files in turn; code that makes up a module's name as it runs is not seen.

    Args:
        module: its full name, such as `my_lab.iql`.
        file: its source file.
    """
    root = file.parents[module.count(".") + (file.name == "__init__.py")]
    # An installed package shares its folder with all others.
    scope = root / module.partition(".")[0] if root.name in INSTALLED else root
    digests: dict[str, str] = {}
    pending = [file]
    while pending:
        path = pending.pop()
        name = path.relative_to(root).as_posix()
        if name not in digests:
            source = path.read_bytes()
            digests[name] = hashlib.sha256(source).hexdigest()
            pending += (found for found in _imported(path, source, root) if found.is_relative_to(scope))
    if len(digests) == 1:
        return digests.popitem()[1]
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def _imported(path: Path, source: bytes, root: Path) -> Iterator[Path]:
    """Yield the files at or below `root` that a file imports."""
    for level, module, names in _imports(source):
        if level > len(path.parents) or (not level and module.partition(".")[0] == "harness"):
            continue
        base = path.parents[level - 1] if level else root
        stem = base.joinpath(*module.split(".")) if module else base
        candidates = [_file_of(stem / name) or _file_of(stem) for name in names] or [_file_of(stem)]
        yield from filter(None, candidates)


def _file_of(stem: Path) -> Path | None:
    """Return the source file of a package or module, if there is one."""
    files = (stem / "__init__.py", stem.with_name(f"{stem.name}.py"))
    return next((file for file in files if file.is_file()), None)


def _imports(source: bytes) -> Iterator[tuple[int, str, list[str]]]:
    """Yield level, module and names of each import statement; none if Python cannot parse the source.

    `from ..module import name` has level 2; `import module` has no names.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, each.name, []) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", [each.name for each in node.names]
