"""Checks that a cluster can be joined, with the token of this machine, and watches that it still answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError, last_line

LISTEN_SECONDS, CONNECT_SECONDS = 4.0, 60.0


def require_answer(address: str, seconds: float = CONNECT_SECONDS) -> None:
    """Ask Ray's head for its status, in a process that can be killed.

    `ray.init` retries for up to two minutes, prints 20 lines that cannot be caught, and may end the process.

    Raises:
        HarnessError: if Ray does not answer, or a token is missing or wrong.
    """
    if address.startswith("ray://"):
        raise HarnessError(
            f"--address {address}: Ray's client protocol is not supported; give HOST:PORT on a machine of "
            "the cluster, or submit the command with ray job submit"
        )
    token = find_token()
    if address != "auto":
        _require_listener(address)
    if token is None and os.environ.get("RAY_AUTH_MODE") == "token":
        raise HarnessError(f"--address {address}: {_no_token('RAY_AUTH_MODE is token')}")
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=authentication(token) | os.environ,
        )
    except subprocess.TimeoutExpired:
        raise HarnessError(f"--address {address}: no answer from Ray within {seconds:g} s") from None
    except subprocess.CalledProcessError as error:
        raise HarnessError(f"--address {address}: {_explain(last_line(error.stderr), token)}") from None


def _require_listener(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise HarnessError(
            f"--address {address}: expected auto or HOST:PORT (Ray's head listens on port 6379)"
        )
    try:
        socket.create_connection((host, int(port)), timeout=LISTEN_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise HarnessError(f"--address {address}: cannot connect to Ray ({reason})") from None


def authentication(token: str | None) -> dict[str, str]:
    """Return the variable that makes Ray use a token for every address, not only for `auto`."""
    return {"RAY_AUTH_MODE": "token"} if token else {}


def find_token() -> str | None:
    """Return where Ray finds its token, a variable or a path; raise a HarnessError if that does not exist."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return "RAY_AUTH_TOKEN"
    if named := os.environ.get("RAY_AUTH_TOKEN_PATH"):
        if not Path(named).is_file():
            raise HarnessError(f"RAY_AUTH_TOKEN_PATH is {named}, which is not a file; correct or unset it")
        return named
    return str(_default_token()) if _default_token().is_file() else None


def _explain(complaint: str, token: str | None) -> str:
    """Explain the last line of a failed request to the head, and what to do."""
    if "Could not find any running Ray" in complaint:
        return (
            "no Ray cluster is running on this machine; start one with ray start --head, or omit --address "
            "to use this machine alone"
        )
    if "AuthenticationError" not in complaint:
        return f"cannot connect to Ray ({complaint})"
    if token is None:
        return _no_token("the cluster requires a token")
    mode = os.environ.get("RAY_AUTH_MODE", "token")
    if mode != "token":
        return f"the cluster requires a token, but RAY_AUTH_MODE is {mode} here; unset it"
    return f"the cluster does not accept the token in {token}; it must be the same as the head's"


def _no_token(why: str) -> str:
    return (
        f"{why}, but this machine has none; copy the head's ~/.ray/auth_token to {_default_token()}, or set "
        "RAY_AUTH_TOKEN_PATH"
    )


def _default_token() -> Path:
    return Path.home() / ".ray" / "auth_token"


@contextmanager
def ray_watched(
    head: str,
    node: str,
    lost: Callable[[str], None],
    pause: float = 2.0,
    head_seconds: float = 30.0,
    node_seconds: float = 5.0,
) -> Iterator[None]:
    """Call `lost` with a reason when Ray's head or the driver's node stops answering during the block.

    It is called once, in a separate thread. The head may be silent for longer than the node, because a
    fault-tolerant head may restart.
    """
    watched = (
        (node, node_seconds, "Ray on this machine has stopped"),
        (head, head_seconds, f"the head of the Ray cluster at {head} no longer answers"),
    )
    ended = threading.Event()

    def watch() -> None:
        answered = dict.fromkeys((node, head), time.monotonic())
        while not ended.wait(pause):
            for address, patience, reason in watched:
                if _answers(address):
                    answered[address] = time.monotonic()
                elif time.monotonic() - answered[address] > patience and not ended.is_set():
                    lost(reason)
                    return

    threading.Thread(target=watch, name="ray watch", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2.0).close()
    except OSError:
        return False
    return True
