"""Standard output that takes every character, and whose failures are distinct from those of other files."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class StdoutError(Exception):
    """Standard output could not be written.

    It is not an OSError, because argparse and rich ignore one, or exit.
    """

    def __init__(self, reason: OSError) -> None:
        super().__init__(f"standard output cannot be written ({reason.strerror})")
        self.reader_left = isinstance(reason, BrokenPipeError)
        # What could not be written would fail once more when Python ends.
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
    """Replace standard output within the block, unless it is not a file, as in a test."""
    plain = sys.stdout
    if type(plain) is not io.TextIOWrapper:
        yield
        return
    ours = _Stdout(
        plain.buffer,
        encoding=plain.encoding,
        errors="replace",
        line_buffering=plain.line_buffering,
        write_through=plain.write_through,
    )
    sys.stdout = ours
    try:
        yield
    finally:
        sys.stdout = plain
        ours.detach()
