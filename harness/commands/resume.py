"""`harness resume`: completes the missing trials of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness.commands.options import PATH, relocate_option
from harness.commands.running import execute, launched, reopen

if TYPE_CHECKING:
    from harness.tuning.launch import Options


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@relocate_option
@launched
def resume(results: str, settings: tuple[str, ...], launch: Options) -> int:
    """Complete the missing trials of a run.

    DIR is the results directory, or its URL. Finished trials are not repeated, however the run ended.
    """
    run, module_folders = reopen(results, settings)
    return execute(run, replace(launch, module_folders=tuple(module_folders)))
