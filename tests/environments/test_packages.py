"""Which modules may be imported for an environment, and which registers it."""

from __future__ import annotations

import sys

import pytest

from harness.environments import packages
from harness.environments.factory import make
from harness.errors import HarnessError


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a distribution with a module that registers Installed-v0."""
    (tmp_path / "installed_tasks.py").write_text(
        "import gymnasium\ngymnasium.register('Installed-v0', entry_point='a:B')\n"
    )
    metadata = tmp_path / "installed_tasks-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: installed-tasks\nVersion: 1\nRequires-Dist: gymnasium>=1\n")
    (metadata / "top_level.txt").write_text("installed_tasks\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(packages, "_candidates", lambda: ["installed_tasks"])
    assert "installed_tasks" not in sys.modules


def test_unregistered_id_names_the_package_that_registers_it(installed):
    complaint = "package installed_tasks registers it; write installed_tasks:Installed-v0"
    with pytest.raises(HarnessError, match=complaint):
        make("Installed-v0")
    assert "installed_tasks" not in sys.modules


def test_id_that_no_package_registers_is_refused_without_a_hint(installed):
    with pytest.raises(HarnessError, match="gymnasium cannot make it"):
        make("Missing-v0")


def test_gymnasium_robotics_is_a_candidate():
    pytest.importorskip("gymnasium_robotics")
    assert "gymnasium_robotics" in packages._candidates()


@pytest.mark.parametrize(
    ("module", "registers"),
    [("os", False), ("antigravity", False), ("numpy", False), ("missing_module", False), ("harness", True)],
)
def test_modules_that_register_environments_are_told_apart_without_an_import(module, registers):
    assert packages.registers_environments(module) is registers
