"""Errors in a user's own algorithm file."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from harness.errors import HarnessError

OURS = ("harness.", "builtins.", "abc.", "typing.")


@contextmanager
def errors_with_their_line(algorithm: type) -> Iterator[None]:
    """Turn an exception raised in a user's file into a one-line error that names the file and line."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename in _files_of(algorithm)]
        if not own:
            raise
        reason = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        place = f"{own[-1].filename}:{own[-1].lineno}"
        raise HarnessError(f"{place}: {reason.splitlines()[0]}") from error


@cache
def _files_of(algorithm: type) -> frozenset[str]:
    """Return the files that define a class and its bases, except those of this package."""
    return frozenset(
        inspect.getfile(each) for each in algorithm.__mro__ if not f"{each.__module__}.".startswith(OURS)
    )
