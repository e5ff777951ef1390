"""Turning what pydantic says into one line that names the thing and the mend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from harness.errors import HarnessError

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], raw: Any, where: str = "") -> Model:
    """Read `raw` as a `model`.

    Raises:
        HarnessError: naming the first thing that is wrong, under the path `where`.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise HarnessError(_explain(error, model, where)) from None


def nearest(name: str, known: Iterable[str]) -> str:
    """What to say behind an unknown name: the nearest known ones, or all when there are few."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known)}" if len(known) <= 20 else ""


def _explain(error: ValidationError, model: type[BaseModel], where: str) -> str:
    first = error.errors()[0]
    location = _location(first["loc"])
    path = ".".join(filter(None, [where, *location])) or "the file"
    match first["type"]:
        case "extra_forbidden":
            parent = _model_at(model, location[:-1])
            allowed = sorted(parent.model_fields) if parent else []
            hint = difflib.get_close_matches(location[-1], allowed, n=1)
            suggestion = f" (did you mean {hint[0]}?)" if hint else ""
            return f"unknown key {path}{suggestion}; allowed are {', '.join(allowed)}"
        case "missing":
            return f"{path} is missing"
        case "too_short":
            return f"{path} is empty; give at least one"
        case "value_error":
            return str(first["ctx"]["error"]) if not location else f"{path}: {first['ctx']['error']}"
        case _:
            same = [other["msg"] for other in error.errors() if _location(other["loc"]) == location]
            return f"{path}: {_one_of(same)}, not {_short(first['input'])}"


def _location(path: Iterable[object]) -> list[str]:
    """Without what pydantic calls the members of a union."""
    return [str(part) for part in path if not re.search(r"[\[(]|^constrained-", str(part))]


def _one_of(messages: Iterable[str]) -> str:
    """`input should be A or B`, of a value that may be one or the other."""
    first, *others = dict.fromkeys(message[0].lower() + message[1:] for message in messages)
    return " or ".join([first, *(other.removeprefix("input should be ") for other in others)])


def _model_at(model: type[BaseModel], location: list[str]) -> type[BaseModel] | None:
    """The model that the keys of `location` lead to, seen through containers."""
    keys = iter(location)
    for key in keys:
        if key.isdigit():
            continue
        field = model.model_fields.get(key)
        inner = _models_in(field.annotation) if field else []
        if not inner:
            return None
        if field is not None and get_origin(field.annotation) is dict:
            next(keys, None)  # the user's own
        model = inner[0]
    return model


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in getattr(annotation, "__args__", ()) for found in _models_in(argument)]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
