"""How algorithms and datasets are called and ordered in tables and figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

ALGORITHM_LABELS = {
    "td3_bc": "TD3+BC",
    "td3": "TD3",
    "bc": "BC",
    "iql": "IQL",
    "rebrac": "ReBRAC",
    "cql": "CQL",
    "awac": "AWAC",
    "edac": "EDAC",
}
RULE_LABELS = {"fqe": "FQE", "td_error": "TD error"}
HYPERPARAMETER_LABELS = {"alpha": "\N{GREEK SMALL LETTER ALPHA}", "lambda": "λ", "tau": "τ"}

TASKS = ("halfcheetah", "hopper", "walker2d", "ant")
QUALITIES = ("random", "medium", "medium-replay", "full-replay", "medium-expert", "expert")
"""The orders in which the TD3+BC paper's table lists them."""

_D4RL_NAME = re.compile(r"(?P<task>[a-z0-9]+)-(?P<quality>[a-z-]+)-v(?P<version>\d+)")
_MINARI_NAME = re.compile(r"minari:(?:.*/)?(?P<task>[a-z0-9]+)/(?P<quality>[a-z-]+)-v(?P<version>\d+)")


class DatasetName(NamedTuple):
    """The parts of `hopper-medium-replay-v2`; a name of another make is all task."""

    task: str
    quality: str
    version: str


def dataset_name(name: str) -> DatasetName:
    match = _D4RL_NAME.fullmatch(name) or _MINARI_NAME.fullmatch(name)
    return DatasetName(*match.group("task", "quality", "version")) if match else DatasetName(name, "", "")


def algorithm_label(column: str) -> str:
    """Return `TD3+BC α=1.0` for `td3_bc@alpha=1.0`, and `TD3+BC: best of 32` for `td3_bc: best of 32`.

    Names of the user's own stay as they are.
    """
    column, colon, chosen = column.partition(": ")
    base, at, setting = column.partition("@")
    label = ALGORITHM_LABELS.get(base, base)
    if at:
        parts = [part.partition("=") for part in setting.split(",")]
        label += " " + ", ".join(f"{hyperparameter_label(key)}{eq}{value}" for key, eq, value in parts)
    return label + colon + chosen


def hyperparameter_label(name: str) -> str:
    """Return the symbol of a hyper-parameter, or its name."""
    return HYPERPARAMETER_LABELS.get(name, name)


def canonical_algorithm(name: str) -> str:
    """The same for every spelling of one algorithm: `td3_bc`, `TD3+BC` and `TD3-BC` are all `td3bc`.

    A sign that joins no words stays: `IQL+` is not `IQL`, nor `lr-1` the same as `lr+1`.
    """
    return re.sub(r"[\s_]|(?<=.)[^\w%@=.](?=\s*[^\W\d_])", "", name.lower())


def same_algorithms(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, str]:
    """Our name to theirs: the very same, or another spelling where neither side has a second one of it."""
    ours, theirs = list(ours), list(theirs)
    spellings = _single_spellings(theirs)
    same = {name: name for name in ours if name in theirs}
    same |= {
        name: spellings[key]
        for key, name in _single_spellings(ours).items()
        if name not in same and key in spellings
    }
    return {name: same[name] for name in ours if name in same}


def _single_spellings(names: Sequence[str]) -> dict[str, str]:
    counts = Counter(map(canonical_algorithm, names))
    return {key: name for name in names if counts[key := canonical_algorithm(name)] == 1 and key}


def in_table_order(datasets: Iterable[str]) -> list[str]:
    """As the paper's table has them: by quality, then task; unknown ones last, in the given order."""
    return sorted(datasets, key=_table_position)


def _table_position(name: str) -> tuple[int, int]:
    task, quality, _ = dataset_name(name)
    return _position(quality, QUALITIES), _position(task, TASKS)


def _position(item: str, known: tuple[str, ...]) -> int:
    return known.index(item) if item in known else len(known)
