"""`harness new-algorithm NAME`: writes a commented algorithm file and an experiment that runs it."""

from __future__ import annotations

import keyword
import shlex
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template

import click

from harness.commands.options import PATH
from harness.errors import HarnessError
from harness.user_modules import is_of_user
from harness.writing import write_text


@click.command()
@click.argument("name")
@click.option("--output", type=PATH, default=".", metavar="DIR", help="Where to write the files.")
def new_algorithm(name: str, output: str) -> None:
    """Write an example algorithm to start your own from.

    Writes NAME.py, an algorithm in plain PyTorch with comments, and NAME.yaml, an experiment that compares it
    with TD3+BC and BC. Both run without changes.
    """
    from harness.algorithms import registry

    module = name.replace("-", "_")
    if not module.isidentifier() or keyword.iskeyword(module) or not module.isascii():
        raise HarnessError(f"{name!r} is not a valid module name; use letters, digits and _")
    found = find_spec(module)
    is_installed = found is not None and found.origin is not None and not is_of_user(found.origin)
    if module in registry.names() or is_installed:
        raise HarnessError(f"{module} is already an installed module or algorithm; choose another name")
    folder = Path(output)
    files = {folder / f"{module}.py": "algorithm.py.txt", folder / f"{module}.yaml": "algorithm.yaml.txt"}
    existing = next((path for path in files if path.exists()), None)
    if existing is not None:
        raise HarnessError(f"{existing} already exists; choose another name, or remove it")
    class_name = "".join(part[:1].upper() + part[1:] for part in module.split("_")) or "Algorithm"
    names = {"module": module, "title": class_name, "variant": module}
    for path, template in files.items():
        text = resources.files("harness").joinpath("templates", template).read_text(encoding="utf-8")
        write_text(path, Template(text).substitute(names))
    script, experiment = files
    print(f"wrote {script} and {experiment}; run them with: harness run {shlex.quote(str(experiment))}")
