"""The base class and number types of settings, and one-line messages that state what is wrong and where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticKnownError

from harness.errors import HarnessError

Model = TypeVar("Model", bound=BaseModel)
YAML_TERMS = {
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid string": "text",
    "a valid tuple": "a list",
    "a valid list": "a list",
    "a valid dictionary": "a mapping",
    r"String should match pattern '^every [1-9]\d*$'": "'every N'",
}
"""The terms of pydantic's messages for what users write in a YAML file."""


def _no_bool(value: Any) -> Any:
    """Reject true and false, which Python, and so pydantic, takes as the numbers 1 and 0."""
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


Whole: TypeAlias = Annotated[int, BeforeValidator(_no_bool)]
"""A whole number, which may be written as a float without a fraction: 1e6 is 1,000,000."""
Number: TypeAlias = Annotated[float, BeforeValidator(_no_bool)]
SEED_LIMIT = 2**53
"""The largest seed: all table and file formats represent whole numbers exactly up to this one."""
Seed: TypeAlias = Annotated[Whole, Field(ge=0, le=SEED_LIMIT)]
STEPS_LIMIT = 10**12


class Settings(BaseModel):
    """A section of an experiment file: unknown keys, NaN and infinity are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


def validate(model: type[Model], raw: Any, where: str = "") -> Model:
    """Validate `raw` as a `model`; a HarnessError names the first problem, with its path below `where`."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise HarnessError(_explain(error, model, raw, where)) from None


def first_problem(error: ValidationError) -> str:
    """Return the path and the message of the first problem, for files that users do not write."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def nearest(name: str, known: Iterable[str], files: Mapping[str, str] | None = None) -> str:
    """Return a suggestion for an unknown name: the nearest known names, or all if they are few.

    The paths of files are suggested in place of their names.
    """
    known, files = list(known), files or {}
    close = difflib.get_close_matches(name, [*known, *files], n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(files.get(each, each) for each in close)}?"
    return f"; there are {', '.join(known)}" if len(known) <= 20 else ""


def _explain(error: ValidationError, model: type[BaseModel], raw: Any, where: str) -> str:
    first = _furthest(error.errors())
    location = _location(first["loc"])
    path = ".".join(filter(None, [where, *location])) or "the file"
    default = "the default of " if location and isinstance(raw, dict) and location[0] not in raw else ""
    match first["type"]:
        case "extra_forbidden" | "invalid_key":
            return f"unknown key {path}{_suggestion(location[-1], _model_at(model, location[:-1]))}"
        case "missing":
            return f"{path} is missing"
        case "too_short":
            return f"{path} is empty; give at least one"
        case "value_error":
            reason = str(first["ctx"]["error"])
            return reason if not location or f"{path}." in reason else f"{path}: {reason}"
        case _ if not first["msg"].startswith("Input should be "):
            return f"{path}: {first['msg']}"
        case _:
            same = [_wanted(other) for other in error.errors() if _location(other["loc"]) == location]
            return f"{default}{path}: must be {' or '.join(dict.fromkeys(same))}, not {short(first['input'])}"


def _suggestion(key: str, parent: type[BaseModel] | None) -> str:
    """Return a suggestion for an unknown key: the nearest one, its section, or all allowed keys."""
    fields = parent.model_fields if parent else {}
    deeper = [
        f"{name}.{key}"
        for name, field in fields.items()
        for section in _models_in(field.annotation)
        if key in section.model_fields
    ]
    if near := difflib.get_close_matches(key, fields, n=1) or deeper[:1]:
        return f"; did you mean {near[0]}?"
    return f"; allowed are {', '.join(sorted(fields))}"


def _location(path: Iterable[object]) -> list[str]:
    """Return the keys of a path, without pydantic's names for the members of a union."""
    models = {model.__name__ for model in _subclasses(BaseModel)}
    return [
        str(key) for key in path if str(key) not in models and not re.search(r"[\[(]|^constrained-", str(key))
    ]


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _subclasses(child)


def _furthest(errors: list[ErrorDetails]) -> ErrorDetails:
    """Return the first error or, for a union, the error in the member that was probably meant.

    An unknown key is preferred to a missing one, since it may be a misspelling of it.
    """
    first = errors[0]
    if first["type"] == "missing":
        unknown = (error for error in errors if error["type"] == "extra_forbidden")
        first = next((error for error in unknown if error["loc"][:-1] == first["loc"][:-1]), first)
    location = _location(first["loc"])
    inside = [error for error in errors if _location(error["loc"])[: len(location)] == location]
    return max(inside, key=lambda error: len(_location(error["loc"])))


def _wanted(error: ErrorDetails) -> str:
    """Return the expected value as text: pydantic's message in the words of YAML, without its reasons."""
    expected = re.sub(r"^Input should be |(, unable|, got| or instance of) .*", "", error["msg"])
    return YAML_TERMS.get(expected, expected)


def _model_at(model: type[BaseModel], location: list[str]) -> type[BaseModel] | None:
    """Return the model at the keys of `location`, inside containers if necessary."""
    keys = iter(location)
    for key in keys:
        if key.isdigit():
            continue
        field = model.model_fields.get(key)
        inner = _models_in(field.annotation) if field else []
        if not inner:
            return None
        if field is not None and get_origin(field.annotation) is dict:
            next(keys, None)  # keys that the user chose
        model = inner[0]
    return model


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in getattr(annotation, "__args__", ()) for found in _models_in(argument)]


def short(value: Any) -> str:
    """Return the `repr` of a value, truncated to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
