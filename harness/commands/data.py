"""`harness data`: what datasets there are, fetching, checking, describing, collecting and importing them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from harness.datasets.registry import RegisteredDataset


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "data", help="list, fetch, describe, collect and import datasets", description="Offline datasets."
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_list(verbs)
    _add_info(verbs)
    _add_download(verbs)
    _add_verify(verbs)
    _add_collect(verbs)
    _add_import(verbs)


def _add_list(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="every dataset, whether it is here, and its size")
    parser.add_argument("patterns", metavar="PATTERN", nargs="*", help="only these, such as 'hopper-*-v2'")
    parser.add_argument("--here", action="store_true", help="only those that need no download")
    parser.set_defaults(run=run_list)


def _add_info(verbs: Any) -> None:
    parser = verbs.add_parser("info", help="what is in a dataset: episodes, returns, scores, damage")
    parser.add_argument("name", metavar="ID|FILE", help="a dataset's id, or a file in D4RL's layout")
    parser.add_argument("--environment", metavar="ID", help="the gymnasium task of a file")
    parser.add_argument("--figure", metavar="FILE", help="draw the returns there (png, pdf, svg)")
    parser.set_defaults(run=run_info)


def _add_download(verbs: Any) -> None:
    parser = verbs.add_parser("download", help="fetch datasets of D4RL and OGBench")
    parser.add_argument(
        "names", metavar="ID", nargs="+", help="an id, a pattern such as 'hopper-*-v2', or ogbench:NAME"
    )
    parser.add_argument(
        "--mirror",
        metavar="URL|DIR",
        action="append",
        default=[],
        help="look there first: a base URL (http, https, file) or a directory (may be repeated)",
    )
    parser.add_argument(
        "--accept",
        action="store_true",
        help="take a file that is not the published one, as its checksum says",
    )
    parser.set_defaults(run=run_download)


def _add_verify(verbs: Any) -> None:
    parser = verbs.add_parser("verify", help="read datasets through and hold them against their checksums")
    parser.add_argument("names", metavar="ID|FILE", nargs="*", help="(default: all that are here)")
    parser.set_defaults(run=run_verify)


def _add_collect(verbs: Any) -> None:
    parser = verbs.add_parser(
        "collect",
        help="make datasets of a gymnasium task by D4RL's recipe",
        description="Train stable-baselines3's SAC and make datasets of its stages, as D4RL does; in D4RL's "
        "mazes collect with controllers, without training.",
    )
    parser.add_argument("environment", metavar="ENVIRONMENT", help="a gymnasium id, such as Hopper-v4")
    parser.add_argument(
        "--policy",
        metavar="AGENT.zip",
        help="collect from this agent of stable-baselines3 instead, without training",
    )
    parser.add_argument("--output", metavar="DIR", default="datasets", help="(default: datasets)")
    parser.add_argument("--name", help="of the files (default: the task's, in lower case)")
    parser.add_argument("--version", default="v0", help="of the datasets (default: v0)")
    parser.add_argument(
        "--kinds",
        metavar="KIND",
        nargs="+",
        help="some of random medium medium-replay medium-expert expert, in Maze2D of waypoint, in AntMaze of "
        "play diverse (default: all)",
    )
    for option, kind, what in (
        ("transitions", int, "in each dataset, at least (default: 40000)"),
        ("training-steps", int, "environment steps that SAC trains for (default: 100000)"),
        ("train-every", int, "environment steps for each gradient step of SAC (default: 1)"),
        ("evaluation-interval", int, "steps of SAC between two stages that are looked at (default: 1000)"),
        ("evaluation-episodes", int, "to look at a stage (default: 20)"),
        ("reference-episodes", int, "to measure the reference scores (default: 1000)"),
        ("learning-rate", float, "of SAC (default: 0.0003)"),
        ("seed", int, "(default: 0)"),
    ):
        parser.add_argument(f"--{option}", metavar="N", type=kind, default=argparse.SUPPRESS, help=what)
    parser.set_defaults(run=run_collect)


def _add_import(verbs: Any) -> None:
    parser = verbs.add_parser(
        "import",
        help="turn a file of transitions into D4RL's layout",
        description="Read transitions as d3rlpy, robomimic, imitation, stable-baselines3, Decision "
        "Transformer and others save them (docs/import-data.md), and write them in D4RL's layout.",
    )
    parser.add_argument("file", metavar="FILE", help="HDF5, npz, a pickle, or a torch-saved file")
    parser.add_argument("--environment", metavar="ID", required=True, help="the gymnasium task of the data")
    parser.add_argument("--output", metavar="FILE", help="(default: FILE with the ending .hdf5)")
    parser.add_argument(
        "--observation-keys",
        metavar="KEY,KEY",
        default="",
        help="the entries of dictionary observations to concatenate (default: all that are vectors)",
    )
    parser.set_defaults(run=run_import)


def run_list(options: argparse.Namespace) -> int:
    from rich.table import Table

    from harness.datasets import files
    from harness.datasets.download import partial_size

    table = Table(box=None, pad_edge=False)
    for column in ("dataset", "here", "size", "evaluated on"):
        table.add_column(column, justify="right" if column == "size" else "left", overflow="fold")
    for dataset in _matching(options.patterns):
        path = files.local_path(dataset)
        here, partial = path.exists(), partial_size(path)
        if options.here and not here:
            continue
        state = "in the package" if dataset.shipped else "yes" if here else "partly" if partial else "no"
        size = _megabytes(path.stat().st_size if here else dataset.size)
        environment = dataset.task.environment.rpartition(":")[2]
        table.add_row(dataset.name, state, size, environment)
    _console().print(table)
    print(f"\nDatasets are kept in {files.dataset_directory()} ($D4RL_DATASET_DIR names another place).")
    print("`harness data download ID` fetches one, `harness data info ID` describes it.")
    print(
        "Minari's go by minari:ID, OGBench's by ogbench:NAME, files of your own by `path:` in an experiment."
    )
    return 0


def run_info(options: argparse.Namespace) -> int:
    from pathlib import Path

    from harness.datasets import MINARI, description, registry
    from harness.environments.factory import registered
    from harness.errors import HarnessError

    if options.figure and Path(options.figure).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise HarnessError(f"--figure {options.figure}: no kind of picture; name it .png, .pdf or .svg")
    if options.environment:
        if options.name in registry.registered() or options.name.startswith(MINARI):
            raise HarnessError(
                f"--environment {options.environment}: is for files; {options.name} has a task of its own"
            )
        registered(options.environment)
    found = description.describe(options.name, options.environment)
    print(found.text())
    if options.figure:
        found.draw(options.figure)
        print(f"\nreturns drawn in {options.figure}")
    return 0


def run_download(options: argparse.Namespace) -> int:
    from harness.datasets import files
    from harness.datasets.download import download
    from harness.errors import HarnessError

    failed = []
    for name in filter(_is_ogbench, options.names):
        try:
            print(f"{name}: {_download_ogbench(name)}")
        except HarnessError as error:
            failed.append(error)
    names = [name for name in options.names if not _is_ogbench(name)]
    for dataset in _matching(names) if names else ():
        if files.local_path(dataset).exists():
            print(f"{dataset.name}: is here ({files.local_path(dataset)})")
            continue
        try:
            with _bar(dataset.name, in_bytes=True) as advance:
                path = download(
                    dataset,
                    options.mirror,
                    lambda done, total: advance("", done, total),
                    accept=options.accept,
                )
            print(f"{dataset.name}: {path}")
        except HarnessError as error:
            failed.append(error)
    return _report(failed)


def _is_ogbench(name: str) -> bool:
    from harness.datasets import OGBENCH

    return name.startswith(OGBENCH)


def _download_ogbench(name: str) -> Path:
    from harness.datasets.from_ogbench import download_ogbench

    with _bar(name, in_bytes=True) as advance:
        return download_ogbench(name, lambda done, total: advance("", done, total))


def run_verify(options: argparse.Namespace) -> int:
    from pathlib import Path

    from harness.datasets import files, verification
    from harness.errors import HarnessError

    failed = []
    paths = [Path(name) for name in options.names if _is_file(name)]
    named = [name for name in options.names if not _is_file(name)]
    targets: list[tuple[str, Path, RegisteredDataset | None]] = [(str(path), path, None) for path in paths]
    if named or not paths:
        here = [dataset for dataset in _matching(named) if named or files.local_path(dataset).exists()]
        targets += [(dataset.name, files.local_path(dataset), dataset) for dataset in here]
    for name, path, dataset in targets:
        if not path.exists():
            fetch = f"; `harness data download {name}` fetches it" if dataset else ""
            raise HarnessError(f"{path}: no such file{fetch}")
    for name, path, dataset in targets:
        try:
            print(f"{name}: {verification.verify(path, dataset)}", flush=True)
        except HarnessError as error:
            failed.append(error)
    return _report(failed)


def run_collect(options: argparse.Namespace) -> int:
    import re
    from dataclasses import fields
    from pathlib import Path

    from harness.datasets.collect import Recipe, collect, collect_agent

    numbers = {
        field.name: getattr(options, field.name) for field in fields(Recipe) if hasattr(options, field.name)
    }
    numbers |= {
        "name": options.name or re.sub(r".*[/:]|-v\d+$", "", options.environment).lower(),
        "kinds": tuple(dict.fromkeys(options.kinds or ())),
    }
    with _bar("collecting") as advance:
        recipe, directory = Recipe(**numbers), Path(options.output)
        if options.policy:
            paths = [collect_agent(Path(options.policy), recipe, directory, advance)]
        else:
            paths = collect(recipe, directory, advance)
    for path in paths:
        print(path)
    return 0


def run_import(options: argparse.Namespace) -> int:
    from pathlib import Path

    from harness.datasets.formats import Source
    from harness.datasets.importing import import_file

    source = Path(options.file)
    target = Path(options.output) if options.output else source.parent / f"{source.stem}.hdf5"
    keys = tuple(filter(None, options.observation_keys.split(",")))
    print(*import_file(Source(source, keys), target, options.environment), sep="\n")
    return 0


def _matching(patterns: list[str]) -> list[RegisteredDataset]:
    from fnmatch import fnmatchcase

    from harness.datasets import MINARI, registry
    from harness.errors import HarnessError

    if not patterns:
        return list(registry.registered().values())
    found: dict[str, RegisteredDataset] = {}
    for pattern in patterns:
        if pattern.startswith(MINARI):
            raise HarnessError(
                f"{pattern}: Minari keeps its own datasets; it fetches one when it is first used, or with "
                f"`minari download {pattern.removeprefix(MINARI)}`"
            )
        matches = {name: value for name, value in registry.registered().items() if fnmatchcase(name, pattern)}
        found |= matches or {pattern: registry.find(pattern)}
    return list(found.values())


def _is_file(name: str) -> bool:
    from harness.datasets import MINARI

    return not name.startswith(MINARI) and ("/" in name or name.endswith((".hdf5", ".h5")))


def _report(failed: list[Any]) -> int:
    import sys

    for error in failed:
        print(f"harness: error: {error}", file=sys.stderr)
    return 1 if failed else 0


def _megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:.1f} MB"


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _bar(title: str, in_bytes: bool = False) -> Any:
    from harness.datasets.progress import bar

    return bar(title, in_bytes)
