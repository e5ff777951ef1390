"""JSON files with a checksum of their content."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


class DamagedError(Exception):
    """Raised if a file does not have the content that was written to it."""


def dumps(content: Mapping[str, Any]) -> bytes:
    """Return the content as JSON with its SHA-256.

    JSON cannot express numbers that are not finite: these become "NaN", "Infinity" and "-Infinity", which
    `float` parses.
    """
    return _with_checksum(canonical(content).encode()) + b"\n"


def loads(data: bytes) -> dict[str, Any]:
    """Return the content of a file that `dumps` wrote; raise a DamagedError if it has changed."""
    whole = data.strip()
    text = whole[TEXT_BEGINS:-1]
    if whole != _with_checksum(text):
        raise DamagedError
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedError from None
    if not isinstance(content, dict):
        raise DamagedError
    return content


def load(data: bytes, shape: TypeAdapter[T]) -> T:
    """Return the content as `loads`; raise a DamagedError also for content of another type."""
    try:
        return shape.validate_python(loads(data))
    except ValidationError:
        raise DamagedError from None


def canonical(content: Any) -> str:
    """Return the content as JSON in the canonical form that is hashed."""
    return json.dumps(_finite(content), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _with_checksum(text: bytes) -> bytes:
    return b'{"sha256":"%s","content":%s}' % (hashlib.sha256(text).hexdigest().encode(), text)


TEXT_BEGINS = len(_with_checksum(b"")) - 1
