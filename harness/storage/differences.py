"""Describes the differences between two nested values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MOST = 5


def differences(old: Any, new: Any) -> list[str]:
    """Return what changed between two nested values, one `path: old -> new` each, at most five."""
    found = list(_differences(old, new, ""))
    return found if len(found) <= MOST else [*found[:MOST], f"and {len(found) - MOST} more"]


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, list) and isinstance(new, list) and _are_items(old, new):
        old, new = _by_name(old), _by_name(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif new is None and isinstance(old, dict):
        yield f"{path}: removed"
    elif old is None and isinstance(new, dict):
        yield f"{path}: added"
    elif old != new:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _are_items(old: list[Any], new: list[Any]) -> bool:
    """Return whether two lists are best compared item by item."""
    return len(old) == len(new) or any(isinstance(item, dict) for item in [*old, *new])


def _by_name(items: list[Any]) -> dict[Any, Any]:
    """Map the items to their names, so that each is compared with itself, or else to their positions."""
    named = all(isinstance(item, dict) and "name" in item for item in items)
    return {item["name"] if named else position: item for position, item in enumerate(items)}


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
