"""The last output of a worker that died."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

TAIL = 65_536
LONGEST = 200
_LINE_OF_LOG = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d ")
"""The beginning of lines written by `TrialFiles.say`; all others were printed by the process."""
_NEW_ATTEMPT = re.compile(_LINE_OF_LOG.pattern + "attempt at ")
_CAUSE = re.compile(
    r"Fatal Python error|[\w.]*(Error|Exception|Interrupt)\b|terminate called|what\(\):|CUDA error"
)
_NOT_STARTED = "error raised in its creation task"


def last_output(log: bytes) -> str | None:
    """Return the last output of the last attempt in a trial's log, in one line.

    It is the last line that names an error, such as `Fatal Python error: Segmentation fault`, or else the
    last line. None if nothing was printed after the last evaluation, as when a process is killed.
    """
    lines = [line for line in log[-TAIL:].decode(errors="replace").splitlines() if line.strip()]
    while lines and _NEW_ATTEMPT.match(lines[-1]):
        lines.pop()
    printed = list(takewhile(lambda line: not _LINE_OF_LOG.match(line), reversed(lines)))
    causes = [line for line in printed if _CAUSE.match(line.strip())]
    return (causes or printed or [""])[0].strip()[:LONGEST] or None


def start_failure(error_file: str | None) -> str | None:
    """Return the exception that kept a worker from starting, if any, from Tune's file of its failures."""
    text = ""
    with suppress(OSError):
        text = Path(error_file).read_text(errors="replace") if error_file else ""
    latest = text.rpartition("Failure # ")[2]
    return latest.strip().splitlines()[-1].strip()[:LONGEST] if _NOT_STARTED in latest else None
