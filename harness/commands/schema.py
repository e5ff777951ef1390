"""`harness schema`: prints the JSON schema of experiment files."""

from __future__ import annotations

import click

from harness.commands.output import print_json


@click.command()
def schema() -> None:
    """Print the JSON schema of experiment files.

    Editors complete and check experiment files with it. In VS Code with the YAML extension: run `harness
    schema > experiment.schema.json`, then write `# yaml-language-server: $schema=experiment.schema.json` at
    the top of the file.
    """
    from harness.schema import experiment_schema

    print_json(experiment_schema())
