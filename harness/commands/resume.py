"""`harness resume`: finish what is missing of a run, repeat nothing that is done."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    from harness.commands.running import add_options

    parser: argparse.ArgumentParser = subparsers.add_parser(
        "resume",
        help="finish what is missing of a run",
        description="Finish what is missing of a run, whatever ended it; nothing that is done is repeated.",
    )
    parser.add_argument("results", metavar="DIR", help="the results directory, or its URL")
    parser.add_argument(
        "--set",
        metavar="datasets.N.path=FILE",
        action="append",
        default=[],
        help="where a data file lies now that was moved; its content must be the same (may be repeated)",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Resume the run in a results directory."""
    from harness import experiment_file, user_modules
    from harness.commands.running import execute
    from harness.storage import manifest
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    store = open_store(options.results)
    runs = manifest.read(store).get("runs", [])
    earlier = runs[-1].get("module_folders", []) if runs else []
    module_folders = user_modules.folders_of_results(earlier, options.results)
    user_modules.make_importable(module_folders)
    results = RunDirectory.load(store)
    results.relocate_data(experiment_file.move_data(results.experiment, options.set))
    return execute(results, options, module_folders)
