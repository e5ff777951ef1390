"""Tests of which modules may be imported for an environment."""

from __future__ import annotations

import pytest

from harness.environments import packages
from harness.environments.factory import make
from harness.errors import HarnessError


def test_make_of_an_unregistered_id_explains_how_to_name_a_package():
    with pytest.raises(
        HarnessError, match=r"cannot make it .*; write an environment of another package as MODULE:ID$"
    ):
        make("Missing-v0")


@pytest.mark.parametrize(
    ("module", "registers"),
    [("os", False), ("antigravity", False), ("numpy", False), ("missing_module", False), ("harness", True)],
)
def test_registers_environments_recognises_modules_without_importing_them(module, registers):
    assert packages.registers_environments(module) is registers
