"""`harness data`: lists, downloads, verifies and describes datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import filter as matching
from pathlib import Path
from typing import Any

import click

from harness.commands import completers
from harness.commands.data_making import collect, import_data
from harness.commands.options import PATH
from harness.commands.output import json_option, print_errors, print_json, print_rows
from harness.errors import HarnessError

HERE = {True: "yes", False: "no", None: "unknown"}


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

    A PATTERN such as 'hopper-*-v2' selects datasets. In JSON, sizes are in bytes and null is unknown: of the
    datasets that installed packages provide, only the names are known.
    """
    from harness.datasets import registry

    rows = [_as_row(name) for name in _matching(patterns)]
    rows = [row for row in rows if row["here"] or not only_here]
    if as_json:
        print_json(rows)
        return
    print_rows([_shown(row) for row in rows], {"size": ""})
    print(f"\nDatasets are stored in {registry.dataset_directory()}; set $D4RL_DATASET_DIR to change that.")
    print("`harness data download ID` downloads one, `harness data info ID` describes it.")
    print("Experiments also take minari:ID, ogbench:NAME, and your own files (`path:`).")


def _as_row(name: str) -> dict[str, Any]:
    from harness.datasets import registry

    row = {"name": name, "here": None, "shipped": False, "bytes": None, "environment": None, "path": None}
    dataset = registry.registered().get(name)
    if dataset is None:
        return row | {"provided_by": registry.installed()[name].value}
    path = dataset.local_path
    here = path.exists()
    return row | {
        "here": here,
        "shipped": dataset.url is None,
        "bytes": path.stat().st_size if here else dataset.size,
        "environment": dataset.task.environment.rpartition(":")[2],
        "path": str(path),
        "provided_by": None,
    }


def _shown(row: dict[str, Any]) -> dict[str, str]:
    """Return the texts of a row for people."""
    from rich import filesize

    return {
        "dataset": row["name"],
        "here": "in the package" if row["shipped"] else HERE[row["here"]],
        "size": "unknown" if row["bytes"] is None else filesize.decimal(row["bytes"]),
        "evaluated on": row["environment"] or f"provided by {row['provided_by']}",
    }


@data.command()
@click.argument("name", metavar="ID|FILE", type=PATH, shell_complete=completers.datasets)
@click.option("--environment", metavar="ID", help="The gymnasium task of a file.")
@click.option("--plot", type=PATH, metavar="FILE", help="Draw the returns to this file (png, pdf, svg).")
@json_option
def info(name: str, environment: str | None, plot: str | None, as_json: bool) -> None:
    """Describe a dataset: episodes, returns, scores, damage.

    The dataset is an ID of `harness data list` or of Minari or OGBench, or a FILE in D4RL's layout.
    """
    from harness import datasets
    from harness.datasets import PREFIXES, registry
    from harness.datasets.settings import DatasetSettings
    from harness.environments.factory import registered

    if plot and Path(plot).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise HarnessError(f"--plot {plot}: unknown format; use a name that ends in .png, .pdf or .svg")
    if environment:
        if name in registry.registered() or name.startswith(PREFIXES):
            raise HarnessError(f"--environment {environment}: applies only to files; {name} has its own task")
        registered(environment)
    path = name if _is_file(name) else None
    found = datasets.describe(DatasetSettings(name=name, path=path, environment=environment))
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
    from harness.datasets import OGBENCH, registry
    from harness.datasets.download import download
    from harness.datasets.from_ogbench import download_ogbench
    from harness.datasets.progress import download_bar

    wanted: dict[str, None] = {}
    for word in names:
        if word.startswith(OGBENCH) and (mirrors or accept):
            raise HarnessError(f"{word}: --mirror and --accept apply only to datasets of D4RL")
        wanted |= dict.fromkeys([word] if word.startswith(OGBENCH) else _matching([word]))

    def start(name: str) -> Path:
        if name in registry.installed():
            return _local_path(name)
        with download_bar(name) as progress:
            if name.startswith(OGBENCH):
                return download_ogbench(name, progress)
            return download(registry.find(name), mirrors, progress, accept)

    return _for_each(wanted, start)


@data.command()
@click.argument("names", metavar="[ID|FILE]...", nargs=-1, type=PATH, shell_complete=completers.datasets)
def verify(names: tuple[str, ...]) -> int:
    """Read whole datasets and compare them with their checksums.

    Without names, every dataset on this machine is verified.
    """
    from harness.datasets import registry
    from harness.datasets.download import verify as verify_file

    registered = registry.registered()
    here = [name for name, dataset in registered.items() if dataset.local_path.exists()]
    paths: dict[str, Path] = {}
    for word in names or here:
        if _is_file(word):
            paths[word] = Path(word)
        else:
            paths |= {name: _local_path(name) for name in _matching([word])}
    for name, path in paths.items():
        if not path.exists():
            fetch = f"; download it with: harness data download {name}" if name in registered else ""
            raise HarnessError(f"{path}: no such file{fetch}")
    return _for_each(paths, lambda name: verify_file(paths[name], registered.get(name)))


def _for_each(names: Iterable[str], work: Callable[[str], object]) -> int:
    """Print what the work returns for each dataset; return the exit status, 1 if some of it failed."""
    failed = []
    for name in names:
        try:
            print(f"{name}: {work(name)}", flush=True)
        except HarnessError as error:
            failed.append(error)
    return print_errors(failed)


def _matching(patterns: Sequence[str]) -> list[str]:
    """Return the names of the datasets that match a pattern, or of all without patterns."""
    from harness.datasets import MINARI, OGBENCH, registry

    known = [*registry.registered(), *registry.installed()]
    found: dict[str, None] = {} if patterns else dict.fromkeys(known)
    for pattern in patterns:
        if pattern.startswith(MINARI):
            raise HarnessError(
                f"{pattern}: Minari stores its own datasets; it downloads one at its first use, or with "
                f"`minari download {pattern.removeprefix(MINARI)}`"
            )
        if pattern.startswith(OGBENCH):
            raise HarnessError(
                f"{pattern}: files of OGBench are neither listed nor verified here; each is compared with "
                "the checksum of its download whenever it is loaded"
            )
        found |= dict.fromkeys(matching(known, pattern) or [registry.find(pattern).name])
    return list(found)


def _local_path(name: str) -> Path:
    """Return the file of a dataset; the function of a package that provides it may download it first."""
    from harness.datasets import registry
    from harness.datasets.provided import with_file
    from harness.datasets.settings import DatasetSettings

    dataset = registry.registered().get(name)
    return dataset.local_path if dataset else Path(str(with_file(DatasetSettings(name=name)).path))


def _is_file(word: str) -> bool:
    """Return whether a word of the command line is a file, not the name of a dataset."""
    from harness.datasets import PREFIXES, registry

    if word.startswith(PREFIXES) or word in {*registry.registered(), *registry.installed()}:
        return False
    return "/" in word or word.endswith((".hdf5", ".h5")) or Path(word).is_file()
