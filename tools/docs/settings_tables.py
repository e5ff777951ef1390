"""References of settings, generated from the pydantic models that read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harness.algorithms.hyperparameters import Hyperparameters
from harness.algorithms.registry import BUILT_IN, hyperparameters_class
from harness.experiment import Experiment

Schema = dict[str, Any]

LIMITS = {
    "minimum": "≥",
    "ge": "≥",
    "exclusiveMinimum": ">",
    "gt": ">",
    "maximum": "≤",
    "le": "≤",
    "exclusiveMaximum": "<",
    "lt": "<",
}
WORDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "null": "null",
}


def experiment_file() -> str:
    """Return the reference of every key of an experiment file, a heading for each."""
    schema = Experiment.model_json_schema()
    common = hyperparameters_table(Hyperparameters.model_json_schema()["properties"])
    intro = "Each algorithm adds its own; its [page](../algorithms/index.md) lists them.\n\n"
    sections = [*_sections("", schema, schema.get("$defs", {}))]
    return "\n\n".join(
        ["## Top level", *sections, "## Hyper-parameters of every algorithm\n\n" + intro + common]
    )


def algorithm(name: str) -> str:
    """Return the table of an algorithm's hyper-parameters; those that it does not change come last."""
    properties = hyperparameters_class(name).model_json_schema()["properties"]
    common = Hyperparameters.model_json_schema()["properties"]
    own = {key: field for key, field in properties.items() if field != common.get(key)}
    rest = {key: field for key, field in properties.items() if key not in own}
    return hyperparameters_table(own | rest)


def algorithms() -> str:
    """Return the table of built-in algorithms, each with a link to its page."""
    rows = ["| Algorithm | In experiments | Paper |", "|---|---|---|"]
    for name, known in BUILT_IN.items():
        rows.append(f"| [{known.title}]({name}.md) | `{name}` | {known.paper} |")
    return "\n".join(rows)


def hyperparameters_table(properties: Schema) -> str:
    """Return one row for each hyper-parameter: its name, default, values and meaning."""
    rows = ["| Name | Default | Values | Meaning and source |", "|---|---|---|---|"]
    for name, field in properties.items():
        if name != "algorithm":
            cells = (f"`{name}`", f"`{_default(field)}`", values(field), _meaning(field))
            rows.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(rows)


def _sections(path: str, schema: Schema, definitions: Schema) -> Iterator[str]:
    """A heading for the section and for each key, then the sections that its keys hold."""
    if path:
        yield f"## `{path}` {{ #section-{path} }}"
    if path and schema.get("description"):
        yield _meaning(schema)
    nested: list[tuple[str, Schema]] = []
    for name, field in schema["properties"].items():
        key = f"{path}.{name}" if path else name
        section = _section_in(field)
        if section is not None and section != "Hyperparameters":
            nested.append((key, definitions[section]))
        needed = name in schema.get("required", ())
        simple = "default" in field and not isinstance(field["default"], dict)
        default = "required" if needed else f"default `{_default(field)}`" if simple else "optional"
        more = (
            f" [Its keys](#section-{key})." if section in definitions and section != "Hyperparameters" else ""
        )
        yield f"### `{key}` {{ #{key} }}\n\n*{values(field)}; {default}*\n\n{_meaning(field)}{more}"
    for key, inner in nested:
        yield from _sections(key, inner, definitions)


def _section_in(field: Schema) -> str | None:
    """The section that a key holds one of, a list of, or a mapping of."""
    references = re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(field))
    return references[0] if references else None


def values(field: Schema) -> str:
    """Say in words what values a field takes, from its JSON schema."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(values(option) for option in field["anyOf"]))
    if "$ref" in field:
        return "a section"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        item = field.get("items", {})
        return "list" if not item else f"list of {'sections' if '$ref' in item else values(item)}"
    if field.get("type") == "object":
        item = field.get("additionalProperties")
        return (
            f"mapping of names to {'sections' if '$ref' in item else values(item)}"
            if isinstance(item, dict)
            else "mapping"
        )
    if "pattern" in field:
        return f"text like `{field['pattern'].strip('^$')}`"
    known = [(sign, field[name]) for name, sign in LIMITS.items() if name in field]
    limits = [f"{sign} {limit:,}" for sign, limit in known if limit < 100_000]  # others only catch mistakes
    return " ".join([WORDS.get(field.get("type", ""), "any value"), *limits])


def _default(field: Schema) -> str:
    default = field.get("default")
    return default if isinstance(default, str) and default else json.dumps(default)


def _meaning(field: Schema) -> str:
    return field.get("description", "").strip()


def _cell(text: str) -> str:
    """The text in one cell of a table: on one line, bars escaped."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else part.replace("|", "&#124;") for part in parts)
