from __future__ import annotations

from typing import Any

import pytest

from harness.storage.trial_state import State, after_comparison, derive_state


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ({}, "waiting"),
        ({"driver": 2}, "waiting"),
        ({"driver": 2, "running": True}, "running"),
        ({"running": True}, "waiting"),  # its driver has ended
        ({"failed_under": 1}, "failed"),
        ({"failed_under": 2, "driver": 2, "running": True}, "failed"),  # the list of running trials is older
        ({"failed_under": 1, "driver": 2}, "waiting"),  # the driver will try it again
        ({"failed_under": 1, "driver": 2, "running": True}, "running"),
        ({"failed_under": 1, "driver": 2, "selected": False}, "failed"),
        ({"finished": True, "failed_under": 1, "driver": 1, "running": True}, "done"),
    ],
)
def test_derive_state_follows_result_then_failure_then_driver(evidence: dict[str, Any], state: State) -> None:
    assert derive_state(**{"finished": False, **evidence}) == state


@pytest.mark.parametrize(
    ("state", "stopped", "paused", "after"),
    [
        ("done", True, False, "done"),
        ("running", True, False, "running"),
        ("failed", True, False, "stopped"),
        ("failed", False, True, "failed"),
        ("waiting", False, True, "paused"),
        ("paused", False, False, "waiting"),  # its sample continues
    ],
)
def test_after_comparison_changes_only_inactive_trials(
    state: State, stopped: bool, paused: bool, after: State
) -> None:
    assert after_comparison(state, stopped=stopped, paused=paused) == after
