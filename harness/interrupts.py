"""Makes sure that Ctrl-C ends the command, without a traceback."""

from __future__ import annotations

import sys


def _without_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("harness: interrupted", file=sys.stderr)  # Python ends by the signal then
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _without_traceback  # while modules are imported, the next ones too

import signal  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from types import FrameType, TracebackType  # noqa: E402
from typing import Any, NoReturn  # noqa: E402

AGAIN_SECONDS = 0.01


class Interrupts:
    """Records that Ctrl-C came, even if its KeyboardInterrupt was lost.

    Python drops one that is raised in a destructor or callback, and libraries turn one that is raised during
    their imports into an ImportError.
    """

    def __init__(self) -> None:
        self.came = False

    def _receive(self, number: int, frame: FrameType | None) -> NoReturn:
        self.came = True
        raise KeyboardInterrupt

    @classmethod
    @contextmanager
    def caught(cls) -> Iterator[Interrupts]:
        """Record Ctrl-C within the block, unless it is ignored or handled by somebody else."""
        interrupts = cls()
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        hook = sys.unraisablehook
        if ours:
            signal.signal(signal.SIGINT, interrupts._receive)
            sys.unraisablehook = _raised_again
        try:
            yield interrupts
        finally:
            if ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                sys.unraisablehook = hook


def _raised_again(dropped: Any) -> None:
    """Raise what Python would have dropped once more, after the destructor has returned."""
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    from threading import Timer, get_ident

    again = Timer(AGAIN_SECONDS, signal.pthread_kill, (get_ident(), signal.SIGINT))
    again.daemon = True
    again.start()
