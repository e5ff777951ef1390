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
    text = canonical(content)
    return f'{{"sha256":"{_digest(text)}","content":{text}}}\n'.encode()


def unseal(data: bytes) -> dict[str, Any]:
    """
    Raises:
        DamagedError: when a byte of it was lost or changed.
    """
    try:
        envelope = json.loads(data)
        content = envelope["content"]
        if envelope["sha256"] == _digest(canonical(content)) and isinstance(content, dict):
            return content
    except (ValueError, KeyError, TypeError):
        pass
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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
