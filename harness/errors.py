"""The exception for mistakes of the user, and the warnings that users see."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class HarnessError(Exception):
    """A mistake that the user can correct: its one-line message states what is wrong, where, and what to do.

    The command line prints only the message, without a traceback, and exits with status 2.
    """


@contextmanager
def needs_extra(extra: str, reason: str) -> Iterator[None]:
    """Turn a failing import in the block into a HarnessError: the reason, and which extra to install."""
    try:
        yield
    except ImportError:
        raise HarnessError(f"{reason}: pip install 'offline-rl-harness[{extra}]'") from None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def last_line(text: str) -> str:
    """Return the last line of the output or the traceback of a process that failed."""
    return (text.strip().splitlines() or ["no reason given"])[-1]


def one_line(error: BaseException) -> str:
    """Return the whole message of an error in one line, or its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def typed_line(error: BaseException) -> str:
    """Return the type and the message of an error in one line, for exceptions of other code."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def failure_reason(error: BaseException) -> str:
    """Return the first line of an error's message, preceded by its type unless it is a HarnessError."""
    reason = first_line(error)
    untyped = isinstance(error, HarnessError) or reason == type(error).__name__
    return reason if untyped else f"{type(error).__name__}: {reason}"


class HarnessWarning(UserWarning):
    """A one-line note on behaviour that the user may not expect, and what to do about it."""


def warn(message: str) -> None:
    """Show the user a HarnessWarning."""
    warnings.warn(message, HarnessWarning, stacklevel=3)
