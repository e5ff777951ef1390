"""The names and the order of algorithms and datasets in tables and figures."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.algorithms.registry import BUILT_IN

ALGORITHM_LABELS = {name: algorithm.title for name, algorithm in BUILT_IN.items()}
GREEK = {
    chr(code): unicodedata.name(chr(code)).rpartition(" ")[2].lower().replace("lamda", "lambda")
    for code in range(ord("\N{GREEK SMALL LETTER ALPHA}"), ord("\N{GREEK SMALL LETTER OMEGA}") + 1)
    if chr(code) not in "ος"
}
"""Lower-case Greek letters that LaTeX has commands for, and their names."""
HYPERPARAMETER_LABELS = {name: letter for letter, name in GREEK.items() if name in ("alpha", "lambda", "tau")}

TASKS = ("halfcheetah", "hopper", "walker2d", "ant")
QUALITIES = ("random", "medium", "medium-replay", "full-replay", "medium-expert", "expert")
"""The orders in which the TD3+BC paper's table lists them."""

TASK_TITLES = {"halfcheetah": "HalfCheetah", "antmaze": "AntMaze", "maze2d": "Maze2D"}
"""Their spelling in papers; the titles of other tasks are capitalised."""

_D4RL_NAME = re.compile(r"(?P<task>[a-z0-9]+)-(?P<quality>[a-z-]+)-v(?P<version>\d+)")
_MINARI_NAME = re.compile(r"minari:(?:.*/)?(?P<task>[a-z0-9]+)/(?P<quality>[a-z-]+)-v(?P<version>\d+)")
_WORDS = re.compile(r"[a-z][a-z0-9]+(?:[-_][a-z][a-z0-9]+)+")
"""A name of lower-case words, such as `no-state-normalization`; `lr-1` or `IQL+` is not one."""


class DatasetName(NamedTuple):
    """The parts of `hopper-medium-replay-v2`; a name of another form is all task."""

    task: str
    quality: str
    version: str


def dataset_name(name: str) -> DatasetName:
    """Split the id of a dataset of D4RL or Minari into task, quality and version."""
    match = _D4RL_NAME.fullmatch(name) or _MINARI_NAME.fullmatch(name)
    return DatasetName(*match.group("task", "quality", "version")) if match else DatasetName(name, "", "")


def algorithm_label(column: str, label: str | None = None) -> str:
    """Return `TD3+BC α=1.0` for `td3_bc@alpha=1.0`, and `TD3+BC: best of 32` for `td3_bc: best of 32`.

    A label replaces the part before the `@`.
    """
    column, colon, chosen = column.partition(": ")
    base, at, setting = column.partition("@")
    title = label or _title_of_words(base)
    if at:
        parts = [part.partition("=") for part in setting.split(",")]
        title += " " + ", ".join(f"{hyperparameter_label(key)}{eq}{value}" for key, eq, value in parts)
    return title + colon + chosen


def hyperparameter_label(name: str) -> str:
    """Return the symbol of a hyper-parameter, or its name in words."""
    return HYPERPARAMETER_LABELS.get(name, name.replace("_", " "))


def _title_of_words(name: str) -> str:
    """Return `no-bc` as `no BC`; names that are not lower-case words stay as they are."""
    if name in ALGORITHM_LABELS or not _WORDS.fullmatch(name):
        return ALGORITHM_LABELS.get(name, name)
    return " ".join(ALGORITHM_LABELS.get(word, word.replace("_", " ")) for word in name.split("-"))


def dataset_titles(names: Iterable[str]) -> dict[str, str]:
    """Map names to titles: that of `hopper-medium-v2` is `Hopper medium`, or `Hopper medium v2` next to v0.

    Names that do not have these parts stay as they are, and so do those whose titles would be the same.
    """
    plain, versioned = {}, {}
    for name in names:
        parts = dataset_name(name)
        task = TASK_TITLES.get(parts.task, parts.task.capitalize())
        title = f"{task} {parts.quality}" if parts.quality else parts.task.removeprefix("minari:")
        plain[name], versioned[name] = title, f"{title} v{parts.version}" if parts.version else title
    return _distinct(plain, _distinct(versioned, {}))


def _distinct(titles: dict[str, str], instead: Mapping[str, str]) -> dict[str, str]:
    """Replace titles that several names share, by others or else by the names themselves."""
    counts = Counter(titles.values())
    return {name: title if counts[title] == 1 else instead.get(name, name) for name, title in titles.items()}


def titles(
    variants: Iterable[str], datasets: Iterable[str], labels: Mapping[str, str | None]
) -> dict[str, str]:
    """Map variants and datasets to what tables and figures call them, by the labels of the experiment file.

    The label of a searched algorithm is the first part of the titles of its samples.
    """
    of_variants = {}
    for name in variants:
        searched = name.partition("@")[0].partition(": ")[0]
        of_variants[name] = algorithm_label(name, labels.get(name) or labels.get(searched))
    of_datasets = {name: labels.get(name) or title for name, title in dataset_titles(datasets).items()}
    return of_datasets | _distinct(of_variants, {})


def canonical_algorithm(name: str) -> str:
    """Return one form for all spellings of an algorithm: `td3bc` for `td3_bc`, `TD3+BC` and `TD3-BC`.

    A sign that does not join two words is kept: `IQL+` is not `IQL`, and `lr-1` is not `lr+1`.
    """
    return re.sub(r"[\s_]|(?<=.)[^\w%@=.](?=\s*[^\W\d_])", "", name.lower())


def same_algorithms(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, str]:
    """Map our names to theirs by equal names, or by spellings that are unique on both sides."""
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
    """Sort as the paper's table: by quality, then task; unknown ones last, in the given order."""

    def position(name: str) -> tuple[int, ...]:
        task, quality, _ = dataset_name(name)
        pairs = ((quality, QUALITIES), (task, TASKS))
        return tuple(known.index(item) if item in known else len(known) for item, known in pairs)

    return sorted(datasets, key=position)
