"""The runtime environment of workers: the file of `--runtime-env`, and the user's own modules."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness import safe_yaml, user_modules
from harness.errors import HarnessError, first_line
from harness.trial import Trial
from harness.validation import nearest

PATH_KEYS = ("working_dir", "py_modules")
"""Keys whose values are paths on this machine; Ray reads requirements files immediately."""
SHIPPED = "harness_shipped_modules"
MAX_FILES, MAX_BYTES = 2000, 20_000_000
_MODULE_AND_NAME = re.compile(r'"([^\W\d]\w*)[\w.]*:\w')
"""The top-level module of a JSON string `module:Name`."""


def load(path: str) -> dict[str, Any]:
    """Read a runtime environment; raise a HarnessError unless it is a YAML mapping that Ray accepts."""
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


@dataclass(frozen=True)
class WorkerPaths:
    """The paths by which a worker finds the user's modules and files.

    Attributes:
        modules: the folders of the user's own modules on the driver.
        current: the driver's current folder, where the worker is on the same machine.
    """

    modules: tuple[str, ...] = ()
    current: str | None = None

    def enter(self) -> None:
        """Make the user's modules importable after all installed ones, with the driver's relative paths."""
        folders: Sequence[str] = self.modules
        shipped = find_spec(SHIPPED)
        for root in (shipped and shipped.submodule_search_locations) or ():
            folders = [str(Path(root, str(number))) for number in range(len(self.modules))]
        user_modules.make_importable(folders)
        if self.current is not None:
            os.chdir(self.current)


def with_modules(
    runtime_env: dict[str, Any] | None,
    folders: Sequence[str],
    trials: Iterable[Trial],
    scratch: Path,
    max_files: int = MAX_FILES,
) -> dict[str, Any] | None:
    """Return a runtime environment with the Python files of each folder that has a module of a trial.

    Their copies are in `scratch`, which must exist until Ray has read them.

    Raises:
        HarnessError: if a folder contains too many Python files to send.
    """
    named = {name for trial in trials for name in _MODULE_AND_NAME.findall(trial.model_dump_json())}
    needed = [folder for folder in folders if any(_contains(Path(folder), name) for name in named)]
    if not needed:
        return runtime_env
    for number, folder in enumerate(folders):
        target = scratch / SHIPPED / str(number)
        target.mkdir(parents=True)
        if folder in needed:
            _copy(Path(folder), target, max_files)
    described = runtime_env or {}
    return described | {"py_modules": [*described.get("py_modules", ()), str(scratch / SHIPPED)]}


def _contains(folder: Path, module: str) -> bool:
    return (folder / f"{module}.py").is_file() or (folder / module).is_dir()


def _copy(folder: Path, target: Path, max_files: int) -> None:
    files = list(_python_files(folder))
    size = sum(file.stat().st_size for file in files)
    if len(files) > max_files or size > MAX_BYTES:
        raise HarnessError(
            f"{folder}: {len(files):,} Python files ({size / 1e6:.0f} MB) are too many to send to the "
            "machines of a cluster; put the experiment file and its modules into a separate folder"
        )
    for file in files:
        copy = target / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _python_files(folder: Path) -> Iterator[Path]:
    """Yield the files that could be imported from a folder, except those of virtual environments."""
    for root, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if name.isidentifier() and name != "__pycache__" and not Path(root, name, "pyvenv.cfg").exists()
        ]
        yield from (Path(root, name) for name in files if name.endswith(".py"))
