"""Reads the file of a runtime environment, which Ray sets up on every worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import safe_yaml
from harness.errors import HarnessError, first_line
from harness.validation import nearest

PATH_KEYS = ("working_dir", "py_modules")
"""Keys whose values are paths on this machine; Ray reads requirements files immediately."""


def load(path: str) -> dict[str, Any]:
    """Read a runtime environment; raise a HarnessError if it is no YAML mapping or Ray does not accept it."""
    from ray.runtime_env import RuntimeEnv

    described = safe_yaml.read_file(Path(path))
    if not isinstance(described, dict):
        raise HarnessError(f"--runtime-env {path}: must be a mapping, such as `pip: [package]`")
    keys = sorted(name.removeprefix("_") for name in RuntimeEnv.known_fields)
    unknown = next((str(key) for key in described if key not in keys), None)
    if unknown is not None:
        raise HarnessError(f"--runtime-env {path}: unknown key {unknown}{nearest(unknown, keys)}")
    try:
        # Ray 2.44 checks paths only when it uploads them.
        checked = RuntimeEnv(**{key: value for key, value in described.items() if key not in PATH_KEYS})
        described |= {key: value for key, value in checked.items() if key in described}
    except (ValueError, TypeError) as error:
        raise HarnessError(f"--runtime-env {path}: {first_line(error)}") from None
    return {key: _absolute(value) if key in PATH_KEYS else value for key, value in described.items()}


def _absolute(value: Any) -> Any:
    """Return a path as an absolute one, because Ray is started from another folder."""
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    if isinstance(value, str) and "://" not in value and Path(value).exists():
        return str(Path(value).resolve())
    return value
