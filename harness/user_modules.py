"""The user's own modules, such as `mygym` of `environment: mygym:Task-v0`, and digests of their source."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from harness.errors import HarnessError, failure_reason

INSTALLED = ("site-packages", "dist-packages")
"""Names of folders of installed packages."""


def folders_of(experiment_file: str | Path) -> tuple[str, ...]:
    """Return the folders to import a user's modules from: that of the experiment file and the current one."""
    return tuple(dict.fromkeys([str(Path(experiment_file).resolve().parent), str(Path.cwd())]))


def folders_of_results(recorded: Iterable[str], results: str | Path) -> list[str]:
    """Return the folders that a run recorded for the user's modules, and the current one.

    Folders inside the results directory are left out: results of others must not run code.
    """
    home = Path(results).resolve()
    outside = [folder for folder in recorded if not Path(folder).resolve().is_relative_to(home)]
    return list(dict.fromkeys([*outside, str(Path.cwd())]))


def make_importable(folders: Iterable[str]) -> None:
    """Append the folders to Python's search path, after everything that is installed.

    `python -m` puts the current folder first, where any file could shadow an installed package.
    """
    for folder in folders:
        if sys.path[:1] in ([""], [folder]):
            del sys.path[0]
        if folder not in sys.path:
            sys.path.append(folder)


def load(name: str) -> ModuleType:
    """Import a module; an error has the exception, and the file and line of the user's code."""
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:  # a user's module can raise anything
        reason = failure_reason(error)
        if isinstance(error, SyntaxError):  # its text repeats file and line
            reason = f"{type(error).__name__}: {error.msg}"
        hint = hidden_file(name)
        if isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]:
            hint = "; install it, or put it next to the experiment file or into the current folder"
        if "/" in name or name.endswith(".py"):
            hint = f"; name the module as in an import: {name.removesuffix('.py').replace('/', '.')}"
        raise HarnessError(f"cannot import {name} ({_place(error)}{reason}){hint}") from error


def hidden_file(name: str) -> str:
    """Return a hint for an error message if the module of this name hides a file of the user."""
    top = name.partition(".")[0]
    if top not in sys.modules:
        return ""
    used = getattr(sys.modules[top], "__file__", None)
    for folder in sys.path:
        for file in (Path(folder, f"{top}.py"), Path(folder, top, "__init__.py")):
            if file.is_file() and (used is None or file.resolve() != Path(used).resolve()):
                source = used or "Python itself"
                return f"; this is the module {top} of {source}, which hides {file}: rename that file"
    return ""


def _place(error: BaseException) -> str:
    """Return `FILE:LINE: ` of the user's code that raised an exception, or nothing."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: "
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_of_user(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def is_of_user(file: str) -> bool:
    """Return whether a source file is neither Python's, nor this package's, nor that of an installed one."""
    path = Path(file)
    others = (Path(__file__).parent, Path(sysconfig.get_path("stdlib")))
    return (
        path.is_absolute()
        and not any(path.is_relative_to(other) for other in others)
        and not set(INSTALLED) & set(path.parts)
    )


def source_of_module(name: str) -> str | None:
    """Return the digest of an imported module of the user; None for one that is installed or not imported."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return source_digest(name, Path(file)) if file and is_of_user(file) else None


def source_digest(module: str, file: Path) -> str:
    """Return the SHA-256 of a module's file and of all files that it imports from its own folder or package.

    Without such imports it is the SHA-256 of the file itself. Imports are read from the source, also inside
    functions and of the imported files in turn; code that makes up a module's name as it runs is not seen.
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
