"""`harness status`: how far a run is, from its files alone."""

from __future__ import annotations

import click

from harness.commands.options import PATH
from harness.commands.output import json_option, print_json


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@click.option("--watch", is_flag=True, help="Refresh every 2 seconds until the run ends.")
@json_option
def status(results: str, watch: bool, as_json: bool) -> None:
    """Show the progress of a run.

    DIR is the results directory, or its URL. Progress is read from its files alone, on any machine that can
    read them.
    """
    if watch and as_json:
        raise click.UsageError("--watch and --json exclude each other")
    from harness.storage.progress import scan
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store
    from harness.tuning import status_view

    store = open_store(results)
    if watch:
        status_view.watch(lambda earlier: scan(RunDirectory.load(store), earlier), results)
        return
    progress = scan(RunDirectory.load(store))
    if as_json:
        print_json(status_view.as_dict(progress))
    else:
        status_view.show(progress, results)
