from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.stdout import StdoutError
from harness.storage.progress import Progress, TrialProgress
from harness.tuning.monitor import Monitor
from tests.tuning.test_trackers import TRIAL

KEY = TRIAL.key


def test_output_that_breaks_ends_the_run_after_the_step_and_not_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.dup2", lambda *_: None)  # pytest's own output goes on
    broken = StdoutError(BrokenPipeError(32, "Broken pipe"))

    def say(line: str) -> None:
        raise broken

    trial: Any = SimpleNamespace(config={"keys": [KEY]})
    results: Any = SimpleNamespace(selected_trials=lambda: [TRIAL])
    lease: Any = SimpleNamespace(lost=False)
    display: Any = SimpleNamespace(say=say, update=lambda: None)
    progress = Progress([TrialProgress(KEY, "bc", "hopper", 0, 1000)])
    monitor = Monitor(results, lease, progress, display, lambda: None, lambda: None)
    monitor.on_step_end(0, [])
    monitor.on_trial_result(1, [], trial, {"reports": [{"key": KEY, "done": True}]})
    assert progress.by_key[KEY].state == "done"
    with pytest.raises(StdoutError) as error:
        monitor.on_step_end(1, [])
    assert error.value is broken
