"""Downloads one file, with retries."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness.datasets.progress import ProgressCallback
from harness.errors import HarnessError, one_line

ATTEMPTS = 5
STALL_SECONDS = 30.0
PAUSE_SECONDS = 1.0
"""The pause before the second attempt; it doubles with each further one."""
PIECE = 2**18


class RejectedError(HarnessError):
    """Raised if this URL does not have the file; another may."""


class _InterruptedError(Exception):
    """Raised if the transfer was interrupted; another attempt may succeed."""


def transfer(url: str, part: Path, progress: ProgressCallback) -> None:
    """Write the file at a URL (http, https, file) to `part`; start again if an attempt is interrupted.

    Raises:
        RejectedError: if the file does not exist there, or all attempts are interrupted.
        OSError: if `part` cannot be written.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _attempt(url, part, progress)
            return
        except _InterruptedError as error:
            if attempt == ATTEMPTS:
                raise RejectedError(f"{error} ({attempt} attempts)") from None
        time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))


def _attempt(url: str, part: Path, progress: ProgressCallback) -> None:
    done, total = 0, None
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "offline-rl-harness"})
        with urllib.request.urlopen(request, timeout=STALL_SECONDS) as response, part.open("wb") as file:
            if response.headers.get_content_type() == "text/html":
                raise RejectedError("the server answered with a web page")
            length = response.headers.get("Content-Length")
            total = int(length) if length else None
            while piece := response.read1(PIECE):
                file.write(piece)
                done += len(piece)
                progress(done, total)
    except urllib.error.HTTPError as error:
        error.close()
        reason = f"the server answered {error.code} {error.reason}"
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _InterruptedError(reason) from None
        raise RejectedError(reason) from None
    except urllib.error.URLError as error:
        if url.startswith("file:"):
            raise RejectedError(one_line(error)) from None
        raise _InterruptedError(f"no connection ({one_line(error)})") from None
    except (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException) as error:
        raise _InterruptedError(f"the connection was interrupted ({one_line(error)})") from None
    except ValueError as error:
        raise RejectedError(f"not a valid URL ({error})") from None
    if total is not None and done < total:
        raise _InterruptedError(f"the connection closed after {done} of {total} bytes")
