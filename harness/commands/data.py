"""`harness data`: lists, downloads, verifies and describes datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.commands import completers
from harness.commands.data_making import collect, import_data
from harness.commands.options import PATH
from harness.commands.output import console, json_option, print_errors, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.datasets.registry import RegisteredDataset


@click.group()
def data() -> None:
    """List, fetch, describe, collect and import datasets."""


data.add_command(collect)
data.add_command(import_data)


@data.command("list")
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1, shell_complete=completers.datasets)
@click.option("--here", "only_here", is_flag=True, help="Only list datasets that need no download.")
@json_option
def list_datasets(patterns: tuple[str, ...], only_here: bool, as_json: bool) -> None:
    """List datasets, their sizes, and whether they are on this machine.

    A PATTERN such as 'hopper-*-v2' selects datasets. In JSON, sizes are in bytes and null is unknown.
    """
    from harness.datasets import files
    from harness.datasets.provided import installed

    rows = [_as_row(dataset) for dataset in _matching(patterns)]
    rows = [row for row in rows if not only_here or row["here"]]
    if as_json:
        print_json(rows)
        return
    _print_datasets(rows)
    print(f"\nDatasets are stored in {files.dataset_directory()}; set $D4RL_DATASET_DIR to change that.")
    print("`harness data download ID` downloads one, `harness data info ID` describes it.")
    if installed():
        print(f"Installed packages provide {', '.join(installed())}.")
    print("Experiments also take minari:ID, ogbench:NAME, and your own files (`path:`).")


def _as_row(dataset: RegisteredDataset) -> dict[str, Any]:
    from harness.datasets import files

    path = files.local_path(dataset)
    here = path.exists()
    return {
        "name": dataset.name,
        "here": here,
        "shipped": bool(dataset.shipped),
        "bytes": path.stat().st_size if here else dataset.size,
        "environment": dataset.task.environment.rpartition(":")[2],
        "path": str(path),
    }


def _print_datasets(rows: Sequence[dict[str, Any]]) -> None:
    from rich import filesize
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("dataset", "here", "size", "evaluated on"):
        table.add_column(column, justify="right" if column == "size" else "left", overflow="fold")
    for row in rows:
        here = "in the package" if row["shipped"] else "yes" if row["here"] else "no"
        size = "unknown" if row["bytes"] is None else filesize.decimal(row["bytes"])
        table.add_row(row["name"], here, size, row["environment"])
    console().print(table)


@data.command()
@click.argument("name", metavar="ID|FILE", type=PATH, shell_complete=completers.datasets)
@click.option("--environment", metavar="ID", help="The gymnasium task of a file.")
@click.option("--plot", type=PATH, metavar="FILE", help="Draw the returns to this file (png, pdf, svg).")
@json_option
def info(name: str, environment: str | None, plot: str | None, as_json: bool) -> None:
    """Describe a dataset: episodes, returns, scores, damage.

    The dataset is an ID of `harness data list` or of Minari or OGBench, or a FILE in D4RL's layout.
    """
    from pathlib import Path

    from harness.datasets import MINARI, description, registry
    from harness.environments.factory import registered
    from harness.errors import HarnessError

    if plot and Path(plot).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise HarnessError(f"--plot {plot}: unknown format; use a name that ends in .png, .pdf or .svg")
    if environment:
        if name in registry.registered() or name.startswith(MINARI):
            raise HarnessError(f"--environment {environment}: applies only to files; {name} has its own task")
        registered(environment)
    found = description.describe(name, environment)
    if as_json:
        print_json(found.as_dict())
    else:
        print(found.text())
    if plot:
        found.draw(plot)


@data.command("download")
@click.argument("names", metavar="ID...", nargs=-1, required=True, shell_complete=completers.datasets)
@click.option(
    "--mirror",
    "mirrors",
    metavar="URL|DIR",
    multiple=True,
    help="Try this source first: a base URL (http, https, file) or a directory. May be repeated.",
)
@click.option("--accept", is_flag=True, help="Accept files whose checksum differs from the published one.")
def fetch(names: tuple[str, ...], mirrors: tuple[str, ...], accept: bool) -> int:
    """Download datasets of D4RL and OGBench.

    Each ID is one of `harness data list`, a pattern such as 'hopper-*-v2', or ogbench:NAME.
    """
    from functools import partial

    from harness.datasets import OGBENCH
    from harness.datasets.download import download
    from harness.datasets.from_ogbench import download_ogbench
    from harness.datasets.progress import download_bar
    from harness.errors import HarnessError

    downloads: dict[str, Callable[..., Path]] = {
        name: partial(download_ogbench, name) for name in names if name.startswith(OGBENCH)
    }
    registered = [name for name in names if name not in downloads]
    for dataset in _matching(registered) if registered else ():
        downloads[dataset.name] = partial(download, dataset, mirrors, accept=accept)
    failed = []
    for name, start in downloads.items():
        try:
            with download_bar(name) as progress:
                path = start(progress=progress)
            print(f"{name}: {path}")
        except HarnessError as error:
            failed.append(error)
    return print_errors(failed)


@data.command()
@click.argument("names", metavar="[ID|FILE]...", nargs=-1, type=PATH, shell_complete=completers.datasets)
def verify(names: tuple[str, ...]) -> int:
    """Read whole datasets and compare them with their checksums.

    Without names, every dataset on this machine is verified.
    """
    from pathlib import Path

    from harness.datasets import files, verification
    from harness.errors import HarnessError

    failed = []
    paths = [Path(name) for name in names if _is_file(name)]
    named = [name for name in names if not _is_file(name)]
    targets: list[tuple[str, Path, RegisteredDataset | None]] = [(str(path), path, None) for path in paths]
    if named or not paths:
        here = [dataset for dataset in _matching(named) if named or files.local_path(dataset).exists()]
        targets += [(dataset.name, files.local_path(dataset), dataset) for dataset in here]
    for name, path, dataset in targets:
        if not path.exists():
            fetch = f"; download it with: harness data download {name}" if dataset else ""
            raise HarnessError(f"{path}: no such file{fetch}")
    for name, path, dataset in targets:
        try:
            print(f"{name}: {verification.verify(path, dataset)}", flush=True)
        except HarnessError as error:
            failed.append(error)
    return print_errors(failed)


def _matching(patterns: Sequence[str]) -> list[RegisteredDataset]:
    from fnmatch import fnmatchcase

    from harness.datasets import MINARI, registry
    from harness.errors import HarnessError

    if not patterns:
        return list(registry.registered().values())
    found: dict[str, RegisteredDataset] = {}
    for pattern in patterns:
        if pattern.startswith(MINARI):
            raise HarnessError(
                f"{pattern}: Minari stores its own datasets; it downloads one at its first use, or with "
                f"`minari download {pattern.removeprefix(MINARI)}`"
            )
        matches = {name: value for name, value in registry.registered().items() if fnmatchcase(name, pattern)}
        found |= matches or {pattern: registry.find(pattern)}
    return list(found.values())


def _is_file(name: str) -> bool:
    from harness.datasets import MINARI

    return not name.startswith(MINARI) and ("/" in name or name.endswith((".hdf5", ".h5")))
