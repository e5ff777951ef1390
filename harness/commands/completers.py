"""Shell completion of names that the package or a results directory knows.

Each function is a `shell_complete` callback of click and returns the names that begin with the word.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from harness.reporting.catalogue import FIGURES


def datasets(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Complete the name of a registered dataset, or of one that an installed package provides."""
    from harness.datasets.registry import installed, registered

    return _beginning_with(word, [*registered(), *installed()])


def tasks(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Complete the id of a dataset, or the task of registered ones."""
    from harness.datasets.registry import installed, registered
    from harness.datasets.registry import tasks as names

    return _beginning_with(word, [*names(), *registered(), *installed()])


def algorithms(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Complete the name of an algorithm."""
    from harness.algorithms.registry import names

    return _beginning_with(word, names())


def published(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Complete the name of a source of published scores."""
    from harness.reporting.published import names

    return _beginning_with(word, names())


def figures(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Complete the name of a figure."""
    return _beginning_with(word, FIGURES)


def variants(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Complete the name of a variant in the results directory that precedes it on the command line."""
    from harness import safe_yaml

    # click leaves arguments unparsed while the last option has no value.
    target = context.params.get("results") or context.params.get("a") or "".join(context.args[:1])
    try:
        experiment = safe_yaml.read_file(Path(target, "experiment.yaml"))
        return _beginning_with(word, map(str, experiment["algorithms"]))
    except Exception:  # errors in the file must not appear while the user types
        return []


def _beginning_with(word: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(word)]
