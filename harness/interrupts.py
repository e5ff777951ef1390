"""Handling of Ctrl-C (SIGINT).

1. While a verb runs: `Interrupts.caught` below, which `harness.cli.main` enters. It raises KeyboardInterrupt.
2. While `harness run` and `resume` train: `harness.tuning.signals`, which `harness.tuning.driver` enters once
   Ray has installed its own handlers. Trials save checkpoints first; a second Ctrl-C ends the process.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class Interrupts:
    """Records a Ctrl-C, because some libraries turn one during their imports into an ImportError."""

    def __init__(self) -> None:
        self.came = False

    @classmethod
    @contextmanager
    def caught(cls) -> Iterator[Interrupts]:
        """Record Ctrl-C within the block, unless it is ignored or has another handler."""
        interrupts = cls()
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield interrupts
            return
        signal.signal(signal.SIGINT, interrupts._receive)
        try:
            yield interrupts
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _receive(self, number: int, frame: FrameType | None) -> NoReturn:
        self.came = True
        raise KeyboardInterrupt
