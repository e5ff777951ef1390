"""The user's own modules, such as `mygym` of `environment: mygym:Task-v0`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path


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
