"""JSON files that know when they were damaged."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any


class DamagedError(Exception):
    """A file that is not what was once written to it."""


def seal(content: dict[str, Any]) -> bytes:
    """The content as JSON beside its SHA-256. What is not finite is written as null."""
    return _sealed(canonical(content).encode()) + b"\n"


def unseal(data: bytes) -> dict[str, Any]:
    """
    Raises:
        DamagedError: when a byte of it was lost or changed.
    """
    whole = data.strip()
    text = whole[TEXT_BEGINS:-1]
    if whole == _sealed(text):
        content: dict[str, Any] = json.loads(text)
        return content
    raise DamagedError


def canonical(content: Any) -> str:
    return json.dumps(_finite(content), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _sealed(text: bytes) -> bytes:
    return b'{"sha256":"%s","content":%s}' % (hashlib.sha256(text).hexdigest().encode(), text)


TEXT_BEGINS = len(_sealed(b"")) - 1
