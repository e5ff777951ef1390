"""`harness status`: shows the progress of a run from its files alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from harness.commands.options import PATH
from harness.commands.output import json_option, print_json
from harness.commands.running import reopen


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
    with _without_missing_modules(results):
        if watch:
            status_view.watch(lambda earlier: scan(RunDirectory.load(store), earlier), results)
            return
        progress = scan(RunDirectory.load(store))
    if as_json:
        print_json(status_view.as_dict(progress))
    else:
        status_view.show(progress, results)


@contextmanager
def _without_missing_modules(results: str) -> Iterator[None]:
    """Use the recorded hyper-parameters of a user's algorithms if their modules are not on this machine.

    If they are, a result counts only if the algorithm has not been edited since, as in the next run.
    """
    from harness.algorithms import registry
    from harness.errors import HarnessError

    try:
        reopen(results, ())
    except HarnessError:
        with registry.without_importing():
            yield
    else:
        yield
