"""Tests that each violation of gymnasium's protocol raises a line with the environment and the fix."""

from __future__ import annotations

import warnings

import pytest

from harness.environments.factory import make
from harness.environments.protocol import check_protocol
from harness.errors import HarnessError, HarnessWarning


def check(kind):
    name = f"tests.environments.odd:Odd/{kind}-v0"
    check_protocol(make(name), name)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("ResetWithoutSeed", r"reset\(seed=0\) raises TypeError.*; reset\(self, \*, seed=None, options"),
        (
            "ResetWithoutInfo",
            r"reset\(seed=0\) returns an array of shape \(2,\).* must return \(observation, info\)",
        ),
        ("StepOfFour", r"must return \(observation, reward, terminated, truncated, info\)"),
        ("ColumnObservation", r"array of shape \(1, 2\) .*; return finite numbers of shape \(2,\)"),
        ("NanObservation", r"step\(\) returns an observation that is NaN or infinite"),
        ("TextObservation", r"reset\(seed=0\) returns an observation that is a value of type str"),
        ("ArrayReward", r"reward that is an array of shape \(1,\) .*; return a single finite number"),
        ("NanReward", "returns a reward that is NaN or infinite; return a single finite number"),
        ("NoReward", "reward that is a value of type NoneType; return a single finite number"),
        ("NumericEnd", r"terminated as a value of type int; return it as bool\(terminated\)"),
        ("Raises", r"step\(\) raises RuntimeError: simulator lost connection; fix the env"),
    ],
)
def test_check_protocol_of_a_broken_environment_raises(kind, complaint):
    with pytest.raises(HarnessError, match=complaint) as error:
        check(kind)
    assert str(error.value).startswith(f"environment tests.environments.odd:Odd/{kind}-v0: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["Point", "DoublePrecision", "Prints"])
def test_check_protocol_of_a_valid_environment_prints_nothing(kind, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(kind)
    assert capsys.readouterr() == ("", "")


def test_check_protocol_of_an_environment_that_ignores_its_seed_warns():
    with pytest.warns(HarnessWarning, match="two resets with the same seed differ"):
        check("IgnoresSeed")


@pytest.mark.parametrize("name", ["Pendulum-v1", "harness.environments:D4RL/Ant-v4"])
def test_check_protocol_accepts_known_environments(name):
    check_protocol(make(name), name)
