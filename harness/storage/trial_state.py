"""The states of a trial, and how its state is derived from its record and the current driver.

    waiting ──▶ running ──▶ done     it has its result, which never changes again
                   ├──────▶ failed   it cannot continue; the next run tries it again
                   ├──────▶ paused   it waits until the samples of its search are compared:
                   │          └────▶ stopped if its sample is not among the best, else waiting
                   └──────▶ waiting  the run was interrupted, or its worker died

Without a driver, every other trial is `waiting`. Divergence is a mark rather than a state: a trial whose
metrics are not finite continues to the end, unless `training.on_divergence` is `fail`.
"""

from __future__ import annotations

from typing import Literal

State = Literal["done", "running", "failed", "waiting", "paused", "stopped"]
STATES: tuple[State, ...] = ("done", "running", "failed", "waiting", "paused", "stopped")
ENDED: tuple[State, ...] = ("done", "stopped")
"""The states of trials that no run continues."""


def derive_state(
    *,
    finished: bool,
    failed_under: int | None = None,
    driver: int | None = None,
    running: bool = False,
    selected: bool = True,
) -> State:
    """Derive the state of a trial, before the comparisons of a search with halving.

    Args:
        finished: whether its record has a valid result.
        failed_under: the number of the driver under which its last attempt failed; None without a failure.
        driver: the number of the current driver; None without one.
        running: whether this driver lists the trial as running.
        selected: whether the trial is selected for this driver.
    """
    if finished:
        return "done"
    tried_again = driver is not None and failed_under != driver and selected
    if failed_under is not None and not tried_again:
        return "failed"
    return "running" if running and driver is not None else "waiting"


def after_comparison(state: State, *, stopped: bool, paused: bool) -> State:
    """Return the state of a trial after the samples of its search were compared.

    Args:
        state: its state before the comparison, from `derive_state`.
        stopped: whether its sample was stopped.
        paused: whether the trial has reached the rung at which its sample is compared next.
    """
    if state in ("running", "done"):
        return state
    if stopped:
        return "stopped"
    if state == "failed":
        return "failed"
    return "paused" if paused else "waiting"
