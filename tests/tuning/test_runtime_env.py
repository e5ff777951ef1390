"""Tests of valid runtime environments; tests/commands/test_running_commands.py has the invalid ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from ray.runtime_env import RuntimeEnv

from harness.tuning import runtime_env


def test_load_returns_the_runtime_environment_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("pip: [offline-rl-harness]\nenv_vars: {A: b}")
    described = runtime_env.load(str(tmp_path / "env.yaml"))
    assert described["pip"]["packages"] == ["offline-rl-harness"]
    assert described["env_vars"] == {"A": "b"}


def test_load_resolves_relative_paths_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "requirements.txt").write_text("numpy\n")
    (tmp_path / "env.yaml").write_text("pip: requirements.txt\nworking_dir: .\npy_modules: [code]")
    described = runtime_env.load("env.yaml")
    assert described["working_dir"] == str(tmp_path)
    assert described["py_modules"] == [str(tmp_path / "code")]
    monkeypatch.chdir("/")
    assert RuntimeEnv(pip=described["pip"]).pip_config()["packages"] == ["numpy"]
