"""`harness new-algorithm NAME`: a commented algorithm file and an experiment that runs it."""

from __future__ import annotations

import argparse
import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "new-algorithm",
        help="start an algorithm of your own",
        description="Write NAME.py, an algorithm in plain PyTorch with comments, and NAME.yaml, an "
        "experiment that compares it with TD3+BC and BC. Both run as they are.",
    )
    parser.add_argument("name", metavar="NAME", help="such as my_iql")
    parser.add_argument("--output", default=".", metavar="DIR", help="(default: the current folder)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write both files.

    Raises:
        HarnessError: for a name that Python cannot import, and where one of the files exists.
    """
    from harness import writing
    from harness.errors import HarnessError

    module = options.name.replace("-", "_")
    if not module.isidentifier() or keyword.iskeyword(module) or not module.isascii():
        raise HarnessError(f"{options.name!r} is not a valid module name; use letters, digits and _")
    folder = Path(options.output)
    files = {folder / f"{module}.py": "algorithm.py.txt", folder / f"{module}.yaml": "algorithm.yaml.txt"}
    existing = next((path for path in files if path.exists()), None)
    if existing is not None:
        raise HarnessError(f"{existing} exists; choose another name, or remove it")
    names = {"module": module, "title": _class_name(module), "variant": module}
    folder.mkdir(parents=True, exist_ok=True)
    for path, template in files.items():
        text = resources.files("harness").joinpath("templates", template).read_text(encoding="utf-8")
        writing.write_text(path, Template(text).substitute(names))
    script, experiment = files
    print(f"wrote {script} and {experiment}; run them with: harness run {experiment}")
    return 0


def _class_name(module: str) -> str:
    """`my_iql` is `MyIql`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"_+", module) if part) or "Algorithm"
