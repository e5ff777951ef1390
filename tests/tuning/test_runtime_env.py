"""Its mistakes are in tests/commands/test_running_commands.py."""

from __future__ import annotations

from pathlib import Path

from harness.tuning import runtime_env


def test_what_is_written_there_is_what_ray_is_given(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("pip: [offline-rl-harness]\nenv_vars: {A: b}")
    described = runtime_env.load(str(tmp_path / "env.yaml"))
    assert described == {"pip": ["offline-rl-harness"], "env_vars": {"A": "b"}}
