"""A driver that was stopped for a while, and finds another in its place."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.tuning import driver, preflight
from harness.tuning.launch import Options
from tests.storage.make import experiment, finish, prepared


@pytest.mark.parametrize("when", ["before its first trial", "after"])
def test_run_after_another_driver_took_over_overwrites_nothing(
    target: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(target)
    ours = prepared(store)

    def meanwhile(*_: Any, **__: Any) -> None:
        store.write(".drivers/000099.json", b"another took over")
        theirs = RunDirectory.prepare(store, experiment(seeds=3), [])
        theirs.save()
        for trial in theirs.requested_trials():
            finish(theirs, trial)

    def stopped(*_: Any) -> None:
        if when == "after":
            meanwhile()
        raise HarnessError("another driver has taken over")

    plan = preflight.plan(ours, Options(pack="no:pack"))
    if when != "after":
        selected = ours.selected_trials
        monkeypatch.setattr(ours, "selected_trials", lambda: meanwhile() or selected())
    with pytest.raises(HarnessError, match="another driver has taken over"):
        driver.run(plan, train=stopped)
    assert RunDirectory.load(store).experiment == experiment(seeds=3)
    assert store.read("scores.csv") is None


def test_run_after_another_driver_changed_the_experiment_raises(target: str) -> None:
    plan = preflight.plan(RunDirectory.prepare(open_store(target), experiment(), []), Options())
    prepared(open_store(target), seeds=3)
    with pytest.raises(HarnessError, match="another driver has changed the results in the meantime"):
        driver.run(plan)
    assert RunDirectory.load(open_store(target)).experiment == experiment(seeds=3)
