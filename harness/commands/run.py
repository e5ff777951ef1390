"""`harness run`: every algorithm x dataset x seed of an experiment file."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    from harness.commands.running import add_options

    parser: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="run an experiment",
        description="Run every trial of an experiment that has no result yet. Run it again to continue, or "
        "with more seeds, datasets or algorithms to add to it.",
    )
    parser.add_argument("file", metavar="FILE", help="the experiment (YAML)")
    parser.add_argument("--seeds", metavar="N|LIST", help="this many seeds, or these: 3 or 0,4,7")
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="change a value of the file: training.gradient_steps=20000 (may be repeated)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="a directory, or a URL such as s3://bucket/name (default: results/NAME)",
    )
    parser.add_argument(
        "--only",
        metavar="KEY=NAME",
        action="append",
        default=[],
        help="only these trials: algorithm=bc, dataset=hopper-medium-v2 or seed=0,1 (may be repeated)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the trials and the work ahead, run none")
    add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from harness import experiment_file, user_modules
    from harness.commands.running import execute, launch_options
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    module_folders = user_modules.folders_of(options.file)
    user_modules.make_importable(module_folders)
    experiment = experiment_file.load(options.file, options.set, options.seeds)
    experiment_file.select(experiment.trials(), options.only)
    store = open_store(options.output or f"results/{experiment.name}")
    results = RunDirectory.prepare(store, experiment, options.only)
    if options.dry_run:
        from harness.tuning.dry_run import describe

        describe(results, launch_options(results, options, module_folders, dry=True))
        return 0
    return execute(results, options, module_folders)
