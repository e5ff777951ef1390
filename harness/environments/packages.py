"""Decides which modules may be imported for an environment."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from harness.errors import HarnessError

TRUSTED_MODULES = ("", "gymnasium_robotics", "harness.environments")
"""Modules that an id in a data file may name; ids without one are registered by gymnasium itself."""


def require_trusted(environment: str, source: object, option: bool = False) -> str:
    """Return the id that a file names, if creating the environment imports only well-known packages.

    With `option`, the advice is an option of the command line alone, not an experiment's setting.

    Raises:
        HarnessError: if the id names another module, because a file must not choose the code that runs.
    """
    module = environment.rpartition(":")[0]
    if module not in TRUSTED_MODULES:
        fix = "" if option else f"environment: {environment} in the experiment, or "
        raise HarnessError(
            f"{source}: names the environment {environment}, but a file must not choose a module to import; "
            f"if you trust {module}, name the environment yourself: {fix}--environment {environment}"
        )
    return environment


def require_trusted_wrapper(entry_point: str, environment: str, source: object) -> None:
    """Check that a wrapper that a file names belongs to gymnasium or to the package of its environment."""
    package = environment.rpartition(":")[0].partition(".")[0]
    module = entry_point.partition(":")[0]
    trusted = [f"{name}." for name in ("gymnasium.wrappers", package) if name]
    if not f"{module}.".startswith(tuple(trusted)) or "._" in module:
        raise HarnessError(
            f"{source}: names the wrapper {entry_point}, which belongs neither to gymnasium nor to the "
            "package of its environment; name the environment yourself"
        )


def registers_environments(module: str) -> bool:
    """Return whether a top-level module exists and its source registers gymnasium environments.

    The module is not imported. For modules of the standard library the answer is always no.
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
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file())
    return any("gymnasium" in text and "register(" in text for text in texts)
