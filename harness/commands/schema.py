"""`harness schema`: prints the JSON schema of experiment files."""

from __future__ import annotations

from typing import Any

import click

from harness.commands.output import print_json

Schema = dict[str, Any]


@click.command()
def schema() -> None:
    """Print the JSON schema of experiment files.

    Editors complete and check experiment files with it. In VS Code with the YAML extension: run `harness
    schema > experiment.schema.json`, then write `# yaml-language-server: $schema=experiment.schema.json` at
    the top of the file.
    """
    print_json(experiment_schema())


def experiment_schema() -> Schema:
    """Return the JSON schema of an experiment file, with the hyper-parameters of every known algorithm."""
    from harness.algorithms.registry import hyperparameters_class, usable
    from harness.experiment import Experiment

    schema = Experiment.model_json_schema()
    definitions, properties, names = schema["$defs"], schema["properties"], usable()
    for name in names:
        definitions[name] = hyperparameters_class(name).model_json_schema()
        definitions |= definitions[name].pop("$defs", {})
    of_algorithm = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    variants = [{"allOf": [of_algorithm[name], _naming({"const": name})]} for name in names]
    of_users_file = _naming({"type": "string", "pattern": ":"})
    properties["algorithms"] = {
        "description": "Names of algorithms, or variants: a name and its hyper-parameters.",
        "anyOf": [
            {"type": "array", "minItems": 1, "items": {"type": "string", "examples": names}},
            {
                "type": "object",
                "minProperties": 1,
                "properties": {name: {"anyOf": [of_algorithm[name], {"type": "null"}]} for name in names},
                "additionalProperties": {"anyOf": [*variants, of_users_file]},
            },
        ],
    }
    properties["datasets"]["items"] = {"anyOf": [{"type": "string"}, properties["datasets"]["items"]]}
    seeds = properties["seeds"]
    properties["seeds"] = {"description": seeds.pop("description", ""), "anyOf": [{"type": "integer"}, seeds]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Experiment", **schema}


def _naming(algorithm: Schema) -> Schema:
    """Return the schema of a variant under a name that the user chose, which names its algorithm."""
    return {"type": "object", "properties": {"algorithm": algorithm}, "required": ["algorithm"]}
