"""The description of what Ray is to set up on every worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import safe_yaml
from harness.errors import HarnessError
from harness.validation import nearest

KEYS = (
    *("pip", "uv", "conda", "py_modules", "py_executable", "working_dir", "excludes", "env_vars", "config"),
    *("container", "image_uri", "java_jars", "worker_process_setup_hook", "nsight", "rocprof_sys", "mpi"),
)
"""Ray's, https://docs.ray.io/en/latest/ray-core/handling-dependencies.html#api-reference"""


def load(path: str) -> dict[str, Any]:
    """
    Raises:
        HarnessError: where that is no YAML mapping, or one with a key that Ray does not know.
    """
    try:
        described = safe_yaml.read(safe_yaml.read_text(Path(path)))
    except (OSError, safe_yaml.NotYamlError, UnicodeDecodeError) as error:
        raise HarnessError(f"--runtime-env {path}: cannot be read ({error})") from None
    if not isinstance(described, dict):
        raise HarnessError(f"--runtime-env {path}: must be a mapping, such as `pip: [package]`")
    unknown = next((str(key) for key in described if key not in KEYS), None)
    if unknown is not None:
        raise HarnessError(f"--runtime-env {path}: Ray knows no key {unknown}{nearest(unknown, KEYS)}")
    return described
