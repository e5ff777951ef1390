"""`harness status`: shows the progress of a run from its files alone."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from harness.commands.options import PATH
from harness.commands.output import json_option, print_json
from harness.commands.running import reopen
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.storage.progress import Progress
    from harness.storage.stores import Store


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
    from harness.algorithms import registry
    from harness.storage.stores import open_store
    from harness.tuning import status_view

    store = open_store(results)
    with ExitStack() as stack:
        try:  # a result counts only if a user's algorithm has not been edited since, as in the next run
            reopen(results, ())
        except HarnessError:  # its module is not on this machine
            stack.enter_context(registry.without_importing())
        if watch:
            status_view.watch(lambda earlier: _scan(store, earlier), results)
            return
        progress = _scan(store)
    if as_json:
        print_json(status_view.as_dict(progress))
    else:
        status_view.show(progress, results)


def _scan(store: Store, earlier: Progress | None = None) -> Progress:
    """Read the progress of a run from the records of its trials, which a copy of results may lack."""
    from harness.storage.progress import scan
    from harness.storage.run_directory import RunDirectory
    from harness.storage.trial_record import TRIALS

    progress = scan(RunDirectory.load(store), earlier)
    if progress.step or progress.driver is not None or store.names(TRIALS):
        return progress
    from harness.storage.assembly import EVALUATIONS  # imports pandas

    if store.read(EVALUATIONS) is not None:
        raise HarnessError(
            f"{store.target}: has results ({EVALUATIONS}), but not the records of its trials (trials/), from "
            f"which progress is read; show the results with harness table {shlex.quote(store.target)}"
        )
    return progress
