"""The datasets that experiments can name.

D4RL's and the package's own are listed in registered.csv and tasks.yaml; those of installed packages
are entry points of the group `harness.datasets`.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from harness import safe_yaml
from harness.datasets.dataset import ReferenceScores
from harness.errors import HarnessError
from harness.validation import nearest

HERE = Path(__file__).parent
SHIPPED = "pendulum"
"""The folder of the files that come with this package."""
ENTRY_POINT_GROUP = "harness.datasets"


@dataclass(frozen=True)
class Task:
    """The properties that all datasets of a task share."""

    name: str
    observation_size: int
    action_size: int
    action_limit: float
    """Actions are within [-action_limit, action_limit]."""
    max_episode_steps: int
    environment: str
    """The gymnasium id to evaluate on."""
    gymnasium_name: str | None = None
    """The name of gymnasium's own task if the environment is another one; D4RL's scores are for both."""
    note: str | None = None
    """A note for captions on differences between the environment and that of the data."""
    zero_from: int | None = None
    """The column from which observations are zero; if a file's are not, its task is another one."""
    success_rate: bool = False
    """Whether the return of an episode is its success."""
    continuing: bool = False
    """Whether the data is one stream without ends of episodes."""


@dataclass(frozen=True)
class RegisteredDataset:
    """A dataset that an experiment can name."""

    name: str
    task: Task
    reference: ReferenceScores | None
    file: str
    """The name of the file; for D4RL's datasets that of D4RL."""
    url: str | None = None
    """None for a dataset that comes with this package."""
    size: int | None = None
    """The size in bytes, if it is known before the download."""
    sha256: str | None = None

    @property
    def local_path(self) -> Path:
        """Return where the file is, or will be once it is downloaded."""
        return (HERE / SHIPPED if self.url is None else dataset_directory()) / self.file


def dataset_directory() -> Path:
    """Return D4RL's own directory: $D4RL_DATASET_DIR, or ~/.d4rl/datasets."""
    named = os.environ.get("D4RL_DATASET_DIR")
    return Path(named) if named else Path.home() / ".d4rl" / "datasets"


@cache
def registered() -> Mapping[str, RegisteredDataset]:
    """Return every registered dataset by its id, the package's own first."""
    listed: dict[str, Any] = safe_yaml.read_file(HERE / "tasks.yaml")
    tasks = {name: Task(name=name, **values) for name, values in listed["tasks"].items()}
    with (HERE / "registered.csv").open(newline="", encoding="utf-8") as lines:
        return {
            row["id"]: RegisteredDataset(
                name=row["id"],
                task=tasks[row["task"]],
                reference=_scores(row["reference_min"], row["reference_max"]),
                file=row["file"].rpartition("/")[2],
                url=None if row["file"].startswith(f"{SHIPPED}/") else listed["base_url"] + row["file"],
                size=int(row["bytes"]) if row["bytes"] else None,
                sha256=row["sha256"] or None,
            )
            for row in csv.DictReader(lines)
        }


def _scores(minimum: str, maximum: str) -> ReferenceScores | None:
    return ReferenceScores(float(minimum), float(maximum)) if minimum else None


@cache
def installed() -> Mapping[str, EntryPoint]:
    """Return the entry points of installed packages that provide datasets, by the name of the dataset.

    Each refers to a function without arguments, which returns the settings of a file as an experiment has
    them: `path`, and usually `environment`. It may download the file first.
    """
    points = entry_points(group=ENTRY_POINT_GROUP)
    return {point.name: point for point in points if point.name not in registered()}


def tasks() -> list[str]:
    """Return the names of the tasks of all datasets, such as `hopper` of `hopper-medium-v2`."""
    return list(dict.fromkeys(name.partition("-")[0] for name in registered()))


def find(name: str) -> RegisteredDataset:
    """Return the registered dataset of this id; an error for an unknown id suggests names and files."""
    try:
        return registered()[name]
    except KeyError:
        near = nearest(name, [*registered(), *installed()], _own_files())
        raise HarnessError(
            f"unknown dataset {name!r}{near} (`harness data list` shows all; your own file is "
            "{name: NAME, path: FILE})"
        ) from None


def _own_files() -> dict[str, str]:
    """Return files of the user's own in the directories of datasets, by the names they would have as ids."""
    published = {dataset.file for dataset in registered().values()}
    folders = (dataset_directory(), Path("datasets"))  # `harness data collect` writes to the second one
    files = [path for folder in folders for path in sorted(folder.glob("*.hdf5"))]
    return {path.stem.replace("_", "-"): str(path) for path in files if path.name not in published}


def by_digest(digest: str) -> RegisteredDataset | None:
    """Return the registered dataset whose published file has this SHA-256, or None."""
    return next((dataset for dataset in registered().values() if dataset.sha256 == digest), None)


def reference_of_environment(environment: str | None) -> ReferenceScores | None:
    """Return D4RL's scores for a gymnasium task of the same name (hopper's for `Hopper-v5`), or None."""
    if environment is None:
        return None
    for dataset in registered().values():
        if _base(environment) in (_base(dataset.task.environment), dataset.task.gymnasium_name):
            return dataset.reference
    return None


def task_of_environment(environment: str | None) -> Task | None:
    """Return the D4RL task of an environment id, or None."""
    tasks = (dataset.task for dataset in registered().values())
    return next((task for task in tasks if task.environment == environment), None)


def holds_human_actions(name: str) -> bool:
    """Return whether a dataset of D4RL or Minari has human actions, which may exceed the range."""
    return not set(re.split(r"[-/]", name)).isdisjoint(("human", "cloned"))


def scored_steps(reference: ReferenceScores, environment: str) -> int | None:
    """Return the step limit of the D4RL task whose scores these are, or None.

    Minari's pen environment runs 200 steps, with D4RL's scores of 100 steps (Minari issue 303).
    """
    name = _short_name(environment)
    for dataset in registered().values():
        task = dataset.task
        if dataset.reference == reference and _short_name(task.environment) == name:
            return task.max_episode_steps
    return None


def _short_name(environment: str) -> str:
    """Return the id without module, namespace and version."""
    return _base(environment).rpartition(":")[2].rpartition("/")[2]


def _base(environment: str) -> str:
    return environment.rpartition("-v")[0]
