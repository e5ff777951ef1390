from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.trial import Trial
from harness.tuning.runtime_env import SHIPPED, WorkerPaths, with_modules


def trial(environment: str | None) -> Trial:
    dataset = {"name": "pendulum-expert-v0", "environment": environment}
    return Trial.model_validate({"algorithm": "bc", "dataset": dataset, "seed": 0})


def write(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"WHERE = {str(folder)!r}\n")
    return folder


def shipped(scratch: Path) -> list[str]:
    return sorted(str(path.relative_to(scratch / SHIPPED)) for path in (scratch / SHIPPED).rglob("*.py"))


def test_runtime_env_takes_the_python_files_of_folders_with_a_named_module(tmp_path: Path) -> None:
    lab = write(tmp_path / "lab", "mygym.py", "helper.py", "parts/inner.py", "notes.txt", "my-run/a.py")
    write(lab / "env", "lib.py")
    (lab / "env" / "pyvenv.cfg").write_text("")
    other = write(tmp_path / "other", "unrelated.py")
    folders = [str(other), str(lab)]
    described = with_modules({"env_vars": {"A": "b"}}, folders, [trial("mygym:Task-v0")], tmp_path / "s")
    assert described == {"env_vars": {"A": "b"}, "py_modules": [str(tmp_path / "s" / SHIPPED)]}
    assert shipped(tmp_path / "s") == ["1/helper.py", "1/mygym.py", "1/parts/inner.py"]


@pytest.mark.parametrize("environment", [None, "Pendulum-v1", "installed.package:Task-v0"])
def test_runtime_env_without_own_modules_is_unchanged(tmp_path: Path, environment: str | None) -> None:
    write(tmp_path / "lab", "mygym.py")
    assert with_modules(None, [str(tmp_path / "lab")], [trial(environment)], tmp_path) is None


def test_with_modules_with_too_many_files_raises(tmp_path: Path) -> None:
    lab = write(tmp_path / "lab", "mygym.py", "helper.py")
    with pytest.raises(HarnessError, match=r"lab: 2 Python files .* are too many"):
        with_modules(None, [str(lab)], [trial("mygym:Task-v0")], tmp_path, max_files=1)


def test_worker_prefers_shipped_modules_and_the_drivers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted = write(tmp_path / "extracted", f"{SHIPPED}/0/mygym.py")
    monkeypatch.setattr(sys, "path", [str(extracted), *sys.path])
    monkeypatch.chdir("/")
    WorkerPaths(("/not/on/this/machine",), str(tmp_path)).enter()
    assert sys.path[-1] == str(extracted / SHIPPED / "0")
    assert Path.cwd() == tmp_path


def test_worker_on_the_same_machine_uses_the_folders_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[Any] = list(sys.path)
    monkeypatch.setattr(sys, "path", saved)
    WorkerPaths((str(tmp_path),)).enter()
    assert sys.path[-1] == str(tmp_path)
