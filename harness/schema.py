"""The JSON schema of an experiment file, so that editors complete and check it."""

from __future__ import annotations

from typing import Any

from harness.algorithms.registry import hyperparameters_class, usable
from harness.experiment import Experiment

Schema = dict[str, Any]
OWN_VARIANT: Schema = {
    "type": "object",
    "properties": {"algorithm": {"type": "string", "pattern": ":"}},
    "required": ["algorithm"],
}
"""The schema of a variant of an algorithm in a user's own file."""


def experiment_schema() -> Schema:
    """Return the JSON schema of an experiment file, with the hyper-parameters of every known algorithm."""
    schema = Experiment.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    names = usable()
    for name in names:
        definitions[f"algorithm {name}"] = _settings(name, definitions)
    properties = schema["properties"]
    variants = [_named(name) for name in names]
    properties["algorithms"] = {
        "description": "Names of algorithms, or variants: a name and its hyper-parameters.",
        "anyOf": [
            {"type": "array", "minItems": 1, "items": {"type": "string", "examples": names}},
            {
                "type": "object",
                "minProperties": 1,
                "properties": {name: {"anyOf": [_reference(name), {"type": "null"}]} for name in names},
                "additionalProperties": {"anyOf": [*variants, OWN_VARIANT]},
            },
        ],
    }
    properties["datasets"]["items"] = {"anyOf": [{"type": "string"}, properties["datasets"]["items"]]}
    seeds = properties["seeds"]
    properties["seeds"] = {"description": seeds.pop("description", ""), "anyOf": [{"type": "integer"}, seeds]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Experiment", **schema}


def _settings(name: str, definitions: Schema) -> Schema:
    settings = hyperparameters_class(name).model_json_schema()
    definitions |= settings.pop("$defs", {})
    return settings


def _named(name: str) -> Schema:
    """Return the schema of a variant under a name that the user chose, which names its algorithm."""
    named = {"properties": {"algorithm": {"const": name}}, "required": ["algorithm"]}
    return {"allOf": [_reference(name), named]}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/algorithm {name}".replace(" ", "%20")}
