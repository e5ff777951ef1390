"""Who handles Ctrl-C (SIGINT), and when.

1. While Python imports this package, before any verb: `_print_no_traceback` below.
2. While a verb runs: `Interrupts.caught` below, which `harness.cli.main` enters. It raises KeyboardInterrupt.
3. While `harness run` and `resume` train: `harness.tuning.signals`, which `harness.tuning.driver` enters once
   Ray has installed its own handlers. Trials save checkpoints first; a second Ctrl-C ends the process.
"""

from __future__ import annotations

import sys


def _print_no_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("harness: interrupted", file=sys.stderr)  # then the signal ends Python
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _print_no_traceback  # before the imports that take time

import signal  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from types import FrameType, TracebackType  # noqa: E402
from typing import NoReturn  # noqa: E402


class Interrupts:
    """Records that Ctrl-C came: some libraries turn one during their imports into an ImportError."""

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
