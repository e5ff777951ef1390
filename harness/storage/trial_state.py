"""The states of a trial; `progress.scan` derives them from its record and the current driver.

    waiting ──▶ running ──▶ done     it has its result, which never changes again
                   ├──────▶ failed   it cannot continue; the next run tries it again
                   ├──────▶ paused   it waits until the samples of its search are compared:
                   │          └────▶ stopped if its sample is not among the best, else waiting
                   └──────▶ waiting  the run was interrupted, or its worker died

Without a driver, every other trial is `waiting`. Divergence is a mark rather than a state: a trial whose
metrics are not finite continues to the end, unless `training.on_divergence` is `fail`.
"""

from __future__ import annotations

from typing import Literal, get_args

State = Literal["done", "running", "failed", "waiting", "paused", "stopped"]
STATES: tuple[State, ...] = get_args(State)
ENDED: tuple[State, ...] = ("done", "stopped")
"""The states of trials that no run continues."""
