"""Describes the differences between two nested values."""

from __future__ import annotations

import json
from typing import Any


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return what changed between two nested values, one `path: old -> new` each, at most five."""
    if isinstance(old, list) and isinstance(new, list) and _by_place(old, new):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        found = [
            line
            for key in keys
            for line in differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        ]
    else:
        found = [] if old == new else [f"{path}: {_short(old)} -> {_short(new)}"]
    return found if len(found) <= 5 else [*found[:5], "..."]


def _by_place(old: list[Any], new: list[Any]) -> bool:
    """Return whether to compare two lists item by item, because long ones are cut when shown as a whole."""
    return len(old) == len(new) or any(isinstance(item, dict) for item in [*old, *new])


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
