"""The description of what Ray is to set up on every worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import safe_yaml
from harness.errors import HarnessError
from harness.validation import nearest


def load(path: str) -> dict[str, Any]:
    """Read a runtime environment.

    Raises:
        HarnessError: where that is not a YAML mapping, or Ray does not take it.
    """
    from ray.runtime_env import RuntimeEnv

    try:
        described = safe_yaml.read(safe_yaml.read_text(Path(path)))
    except (OSError, safe_yaml.NotYamlError, UnicodeDecodeError) as error:
        raise HarnessError(f"--runtime-env {path}: cannot be read ({error})") from None
    if not isinstance(described, dict):
        raise HarnessError(f"--runtime-env {path}: must be a mapping, such as `pip: [package]`")
    keys = sorted(name.removeprefix("_") for name in RuntimeEnv.known_fields)
    unknown = next((str(key) for key in described if key not in keys), None)
    if unknown is not None:
        raise HarnessError(f"--runtime-env {path}: Ray knows no key {unknown}{nearest(unknown, keys)}")
    try:
        RuntimeEnv(**described)
    except (ValueError, TypeError) as error:
        raise HarnessError(f"--runtime-env {path}: {str(error).strip().splitlines()[0]}") from None
    return described
