"""`harness algorithms`: the algorithms, and their hyper-parameters with defaults and meanings."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

import click

from harness import user_modules
from harness.commands import completers
from harness.commands.output import json_option, print_json


@click.command()
@click.argument("name", required=False, shell_complete=completers.algorithms)
@json_option
def algorithms(name: str | None, as_json: bool) -> None:
    """List algorithms, or explain the hyper-parameters of one.

    The algorithms that experiments can name are the built-in ones and those of installed packages. An
    algorithm in your own file is written module:Class (see harness new-algorithm). With NAME, every
    hyper-parameter of that algorithm is shown with its type, default and meaning.
    """
    from harness.algorithms.registry import BUILT_IN, installed, resolve, usable

    if name:
        _show(name, as_json)
        return
    rows = [
        {
            "name": name,
            "title": resolve(name).title,
            "summary": _summary(name),
            "paper": resolve(name).paper,
            "source": "built in" if name in BUILT_IN else installed()[name],
        }
        for name in usable()
    ]
    if as_json:
        print_json(rows)
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:{width}}  {row['summary']}".rstrip())
        print(f"{'':{width}}  {', '.join(filter(None, [row['paper'], row['source']]))}")
    print("\nharness algorithms NAME shows its hyper-parameters; harness new-algorithm NAME starts your own.")


def _show(algorithm_name: str, as_json: bool) -> None:
    from harness.algorithms.registry import hyperparameters_class, resolve

    user_modules.make_importable([str(Path.cwd())])
    algorithm, settings = resolve(algorithm_name), hyperparameters_class(algorithm_name)
    schema = settings.model_json_schema()
    if as_json:
        print_json(schema)
        return
    print(": ".join(filter(None, [algorithm.title, _summary(algorithm_name)])))
    if algorithm.paper:
        print(algorithm.paper)
    width = min(shutil.get_terminal_size().columns, 110)
    for name, field in schema["properties"].items():
        if name == "algorithm":
            continue
        default = f" = {json.dumps(field['default'])}" if "default" in field else ", required"
        print(f"\n{name}: {_type(field)}{default}")
        meaning = " ".join(field.get("description", "").split())
        if meaning:
            print(textwrap.fill(meaning, width, initial_indent="    ", subsequent_indent="    "))


def _summary(algorithm: str) -> str:
    """Return the first line of what documents an algorithm: its hyper-parameters, or else its learner."""
    from harness.algorithms.registry import hyperparameters_class, learner_class, resolve

    settings = hyperparameters_class(algorithm)
    text = settings.__doc__
    if not text and not resolve(algorithm).built_in:
        text = learner_class(settings.model_construct(algorithm=algorithm)).__doc__
    return (text or "").strip().partition("\n")[0]


def _type(field: dict[str, Any]) -> str:
    """Describe the values that a field takes, from its JSON schema."""
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    name = {
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "string": "text",
        "null": "null",
    }.get(field.get("type", ""), "any value")
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    limits = [f"{sign} {field[key]:.15g}" for key, sign in signs.items() if key in field]
    return " ".join([name, *limits])
