"""Ends a run on a signal: cleanly on the first, immediately on the second."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class InterruptedRunError(BaseException):
    """Raised if a signal ends the run, at a safe point rather than where the signal happened to arrive."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def exit_immediately(status: int) -> NoReturn:
    """End the process immediately, and restore the terminal."""
    if os.isatty(1):
        os.write(1, b"\x1b[?25h\n")  # a live display hides the cursor
    os._exit(status)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None], *numbers: signal.Signals) -> Iterator[None]:
    """Handle signals but ignored ones: `nohup` ignores SIGHUP, a shell SIGINT for background commands."""
    before = {
        number: signal.signal(number, handler)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Raise an InterruptedRunError as soon as a signal arrives, until `Signals.caught` takes over.

    Python turns SIGINT into a KeyboardInterrupt, and Ray, once it has started, SIGTERM into a SystemExit.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise InterruptedRunError(number)

    try:
        with _handled(end, signal.SIGTERM, signal.SIGHUP):
            yield
    except KeyboardInterrupt:
        raise InterruptedRunError(signal.SIGINT) from None
    except SystemExit as error:
        if error.code != signal.SIGTERM:  # it was raised by the user's own module
            raise
        raise InterruptedRunError(signal.SIGTERM) from None


class Signals:
    """Remembers SIGINT, SIGTERM and SIGHUP. A second signal ends the process immediately."""

    def __init__(self) -> None:
        self.received: int | None = None

    def raise_if_received(self) -> None:
        """Raise an InterruptedRunError if a signal was received."""
        if self.received is not None:
            raise InterruptedRunError(self.received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            exit_immediately(128 + number)
        self.received = number

    @classmethod
    @contextmanager
    def caught(cls) -> Iterator[Signals]:
        """Remember signals within the block, which must begin after `ray.init` has installed its handlers."""
        signals = cls()
        with _handled(signals._receive, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            yield signals
