"""`harness schema`: the JSON schema of experiment files."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "schema",
        help="print the JSON schema of experiment files",
        description="Print the JSON schema of experiment files, so that editors complete and check them. "
        "With the YAML extension of VS Code: `harness schema > experiment.schema.json`, then write "
        "`# yaml-language-server: $schema=experiment.schema.json` at the top of the file.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the schema."""
    from harness.schema import experiment_schema

    print(json.dumps(experiment_schema(), indent=2))
    return 0
