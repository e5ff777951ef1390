"""`harness validate`: prints the experiment of a file with every default."""

from __future__ import annotations

import click

from harness import user_modules
from harness.commands.options import PATH, seeds_option, settings_option
from harness.commands.output import json_option, print_json


@click.command()
@click.argument("file", type=PATH)
@seeds_option
@settings_option
@json_option
def validate(file: str, seeds: str | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Check an experiment file and print it with every default.

    Prints the experiment FILE (YAML) as `harness run` reads it, as an experiment file or as JSON, or a
    one-line error. `harness run --dry-run` also checks data, environments and machines.
    """
    from harness import experiment_file

    user_modules.make_importable(user_modules.folders_of(file))
    experiment = experiment_file.load(file, settings, seeds)
    if as_json:
        print_json(experiment.model_dump(mode="json"))
    else:
        print(experiment_file.dump(experiment), end="")
