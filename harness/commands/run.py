"""`harness run`: runs every algorithm x dataset x seed of an experiment file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness import user_modules
from harness.commands.options import PATH, only_option, seeds_option, settings_option
from harness.commands.running import execute, launched

if TYPE_CHECKING:
    from harness.tuning.launch import Options


@click.command()
@click.argument("file", type=PATH)
@seeds_option
@settings_option
@click.option(
    "--output",
    type=PATH,
    metavar="DIR",
    help="Results directory, or a URL such as s3://bucket/name.",
    show_default="results/NAME",
)
@only_option
@click.option("--dry-run", is_flag=True, help="Check everything and show the plan without running it.")
@click.option("-v", "--verbose", is_flag=True, help="With --dry-run, list every trial.")
@launched
def run(
    file: str,
    seeds: str | None,
    settings: tuple[str, ...],
    output: str | None,
    only: tuple[str, ...],
    dry_run: bool,
    verbose: bool,
    launch: Options,
) -> int:
    """Run an experiment.

    Runs every trial of the experiment FILE (YAML) that has no result yet. Run it again to continue, or with
    more seeds, datasets or algorithms to add to it.
    """
    if verbose and not dry_run:
        raise click.UsageError("-v lists the trials of a dry run; add --dry-run")
    from harness import experiment_file, trial_selection
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store
    from harness.tuning import preflight, speed
    from harness.tuning.status_view import trial_lines

    module_folders = user_modules.folders_of(file)
    user_modules.make_importable(module_folders)
    experiment = experiment_file.load(file, settings, seeds)
    trial_selection.select(experiment.trials(), only)
    store = open_store(output or f"results/{experiment.name}")
    results = RunDirectory.prepare(store, experiment, only)
    options = replace(launch, module_folders=tuple(module_folders))
    if not dry_run:
        return execute(results, options)
    plan = preflight.plan(results, options, dry=True)
    sizes = preflight.check(plan).sizes
    if verbose:
        print("\n".join([*trial_lines(plan.progress), ""]))
    print("\n".join(plan.lines()), flush=True)
    if plan.missing:
        print(speed.time_line(plan, sizes))
    return 0
