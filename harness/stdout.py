"""Standard output that accepts every character, and has its own exception for failures."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class StdoutError(Exception):
    """Raised if standard output cannot be written.

    It is not an OSError, because rich exits on a broken pipe instead of raising it.
    """

    def __init__(self, reason: OSError) -> None:
        super().__init__(f"standard output cannot be written ({reason.strerror})")
        self.reader_left = isinstance(reason, BrokenPipeError)
        # Python flushes once more at exit; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class _Stdout(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise StdoutError(error) from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise StdoutError(error) from None


@contextmanager
def stdout() -> Iterator[None]:
    """Replace standard output within the block, unless it is not a file, such as in tests."""
    plain = sys.stdout
    if type(plain) is not io.TextIOWrapper:
        yield
        return
    ours = _Stdout(plain.buffer, plain.encoding, "replace", None, plain.line_buffering, plain.write_through)
    sys.stdout = ours
    try:
        yield
    finally:
        sys.stdout = plain
        ours.detach()
