"""`harness resume`: finish what is missing of a run, repeat nothing that is done."""

from __future__ import annotations

import click

from harness.commands.options import PATH, relocate_option
from harness.commands.running import LaunchOptions, launched


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@relocate_option
@launched
def resume(results: str, settings: tuple[str, ...], launch: LaunchOptions) -> int:
    """Complete the missing trials of a run.

    DIR is the results directory, or its URL. Finished trials are not repeated, however the run ended.
    """
    from harness import experiment_file, user_modules
    from harness.commands.running import execute
    from harness.storage import manifest
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    store = open_store(results)
    runs = manifest.read(store).get("runs", [])
    earlier = runs[-1].get("module_folders", []) if runs else []
    module_folders = user_modules.folders_of_results(earlier, results)
    user_modules.make_importable(module_folders)
    run = RunDirectory.load(store)
    run.relocate_data(experiment_file.move_data(run.experiment, settings))
    return execute(run, launch, module_folders)
