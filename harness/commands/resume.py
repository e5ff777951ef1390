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
    add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from harness.commands.running import execute
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    return execute(RunDirectory.load(open_store(options.results)), options)
