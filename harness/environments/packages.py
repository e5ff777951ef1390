"""Decides which modules may be imported for an environment, and finds the one that registers it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path

from harness.errors import HarnessError

TRUSTED_MODULES = ("", "gymnasium_robotics", "harness.environments")
"""Modules that an id from a data file may name; with none, gymnasium itself must have registered it."""
SECONDS = 30
"""An import that takes longer is given up."""
_PROBE = """
import importlib, sys, gymnasium
importlib.import_module(sys.argv[1])
sys.exit(0 if sys.argv[2] in gymnasium.registry else 3)
"""


def require_trusted(environment: str, source: object, fix: str = "environment: ") -> str:
    """Return an id that a file names, if making it imports nothing but well-known packages.

    Args:
        environment: the id.
        source: the file.
        fix: how users name an environment themselves; the message completes it with the id.

    Raises:
        HarnessError: when the id names another module: a file must not choose the code that runs.
    """
    module = environment.rpartition(":")[0]
    if module not in TRUSTED_MODULES:
        raise HarnessError(
            f"{source}: names the environment {environment}, but a file must not choose a module to import; "
            f"if you trust {module}, name the environment yourself: {fix}{environment}"
        )
    return environment


def require_trusted_wrapper(entry_point: str, environment: str, source: object) -> None:
    """Check that a wrapper that a file names belongs to gymnasium, or to the module of its environment.

    Raises:
        HarnessError: when it belongs to another module.
    """
    package = environment.rpartition(":")[0].partition(".")[0]
    module = entry_point.partition(":")[0]
    trusted = [f"{name}." for name in ("gymnasium.wrappers", package) if name]
    if not f"{module}.".startswith(tuple(trusted)):
        raise HarnessError(
            f"{source}: names the wrapper {entry_point}, which belongs neither to gymnasium nor to the "
            "package of its environment; a file must not choose a module to import"
        )


def module_registering(environment: str) -> str | None:
    """Return an installed module whose import registers the id; None where no module does.

    Candidates are the packages that require gymnasium and call its `register`; each is imported in a process
    of its own.
    """
    return next((module for module in _candidates() if _registers(module, environment)), None)


def registers_environments(module: str) -> bool:
    """Return whether a top-level module can be imported and its source registers gymnasium environments.

    The module is not imported; modules of the standard library never count.
    """
    if module in sys.stdlib_module_names:
        return False
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return False
    if spec is None:
        return False
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    if not folders and spec.origin is not None:
        files = [Path(spec.origin)]
    return any(_calls_register(path) for path in files)


def _candidates() -> Iterator[str]:
    for module, distributions in sorted(packages_distributions().items()):
        if module in ("gymnasium", "harness") or not module.isidentifier():
            continue
        if any(map(_requires_gymnasium, set(distributions))) and registers_environments(module):
            yield module


def _requires_gymnasium(distribution: str) -> bool:
    try:
        requirements = requires(distribution) or []
    except PackageNotFoundError:
        return False
    return any(
        re.match(r"gymnasium\b(?!-)", requirement) and "extra ==" not in requirement
        for requirement in requirements
    )


def _calls_register(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "gymnasium" in text and "register(" in text


def _registers(module: str, environment: str) -> bool:
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, module, environment], capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0
