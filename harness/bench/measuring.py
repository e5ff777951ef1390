"""Measures contenders in turn, so that changes in the machine's speed affect all of them equally."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pandas as pd
import torch

from harness.machine import one_thread

Clock = Callable[[], float]


@dataclass(frozen=True)
class Measurement:
    """One measurement: this package and, if there is one, the textbook implementation of the same work."""

    bench: str
    case: str
    unit: str
    ours: float
    """The median over the rounds, like `textbook`."""
    textbook: float | None = None
    ratio: float | None = None
    """ours / textbook, the median over the rounds; larger is better."""
    details: dict[str, float] = field(default_factory=dict)


@contextmanager
def one_core() -> Iterator[None]:
    """Pin this process to one core if the system allows it, and torch to one thread."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    try:
        with one_thread():
            yield
    finally:
        if cores:
            os.sched_setaffinity(0, cores)


def rates_in_turn(
    contenders: Mapping[str, Callable[[], float]], seconds: float, clock: Clock
) -> pd.DataFrame:
    """Run the contenders in turn, round after round, for about `seconds` of `clock` and at least one round.

    A contender does some work and returns its amount.

    Returns:
        A row for each round, with the rate of each contender as work per second.
    """
    rounds: list[dict[str, float]] = []
    end = clock() + seconds
    while not rounds or clock() < end:
        rates = {}
        for name, work in contenders.items():
            started = clock()
            amount = work()
            rates[name] = amount / (clock() - started)
        rounds.append(rates)
    return pd.DataFrame(rounds)


def clock_of(device: torch.device) -> Clock:
    """Return a clock for the device; on a CPU it counts only the time of this thread."""
    if device.type == "cpu":
        return time.thread_time

    def synchronized() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return synchronized
