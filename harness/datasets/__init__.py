"""Offline datasets: of D4RL, Minari, OGBench, this and other packages, and files of the user.

What an experiment names:
    settings                the settings of a dataset, and of the processing of its transitions
    registry, provided      the datasets that have a name, and those of installed packages

Families, each a module with the functions of `Family`:
    from_file               files in D4RL's layout: registered ones, and those of users
    from_minari             Minari's datasets (minari_environment: the environments that they describe)
    from_ogbench            OGBench's datasets
    from_mixture            mixtures of registered datasets

From a file to transitions:
    download, transfer      fetches a file that is not on this machine, and verifies it (progress: the bar)
    files                   checksums
    hdf5, layout            reads and writes D4RL's layout, and checks its arrays
    file_source             what is known of a file, and how it is read
    recording               steps as they were recorded
    episode_ends            where episodes end (episode_marks: arrays that mark it; d4rl_rule: as in D4RL)
    transitions             selects steps, and converts them to transitions
    loading                 one copy of them per machine
    dataset                 the result

Files that this package makes:
    importing, formats/     imports files of other tools
    collect/                collects data in environments

What the user sees:
    description             the output of `harness data info`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.datasets import provided
from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import warn

if TYPE_CHECKING:
    from harness.datasets.description import Description

__all__ = [
    "OfflineDataset",
    "ReferenceScores",
    "check",
    "describe",
    "download_size",
    "environment_note",
    "known_environment",
    "load",
]

MINARI, OGBENCH = "minari:", "ogbench:"
PREFIXES = (MINARI, OGBENCH)
"""The beginnings of names that `_family` recognises."""


def load(
    settings: DatasetSettings | str, data: DataSettings | None = None, *, next_actions: bool = False
) -> OfflineDataset:
    """Load the transitions of a dataset; all processes of a machine share one copy in memory.

    A registered dataset that is not on this machine is downloaded first. A `HarnessWarning` states what was
    dropped, changed or interpreted.

    Args:
        settings: the dataset, or the name of a registered one.
        next_actions: also return `OfflineDataset.next_actions`, which are built at their first use.

    Raises:
        HarnessError: naming the file, what is wrong with it, and what to do; with `next_actions` also when
            the rows of the dataset are not in chronological order.
    """
    settings = _settings(settings)
    dataset = _family(settings).load(settings, data or DataSettings(), next_actions)
    for note in dataset.notes:
        warn(f"dataset {dataset.name}: {note}")
    return dataset


class Family(Protocol):
    """A family of datasets: a module with these functions."""

    def check(self, settings: DatasetSettings) -> None:
        """Check the settings as far as possible without reading or downloading the dataset."""

    def load(self, settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
        """Load the dataset, and download it first if it is not on this machine."""

    def download_size(self, settings: DatasetSettings) -> int | None:
        """Return the bytes that are still to be downloaded; None if that is not known."""

    def known_environment(self, settings: DatasetSettings) -> str | None:
        """Return the id of its environment; None if the dataset must be read to know it."""

    def describe(self, settings: DatasetSettings) -> Description:
        """Describe the dataset, without downloading it."""


def _family(settings: DatasetSettings) -> Family:
    """Return the family of a dataset; families are imported on demand."""
    if settings.mixture is not None:
        from harness.datasets import from_mixture

        return from_mixture
    if settings.path is None and settings.name.startswith(MINARI):
        from harness.datasets import from_minari

        return from_minari
    if settings.path is None and settings.name.startswith(OGBENCH):
        from harness.datasets import from_ogbench

        return from_ogbench
    from harness.datasets import from_file

    return from_file


def check(settings: DatasetSettings | str) -> None:
    """Check that a dataset can be loaded and evaluated, without reading or downloading it."""
    settings = _settings(settings)
    _family(settings).check(settings)


def download_size(settings: DatasetSettings | str) -> int | None:
    """Return the bytes that loading the dataset would download; None if that is not known."""
    settings = _settings(settings)
    return _family(settings).download_size(settings)


def known_environment(settings: DatasetSettings | str) -> str | None:
    """Return the id of the environment to evaluate on, as far as it is known without reading the dataset."""
    settings = _settings(settings)
    return settings.environment or _family(settings).known_environment(settings)


def describe(settings: DatasetSettings | str) -> Description:
    """Describe a dataset for people; one that is not on this machine without its episodes.

    Raises:
        HarnessError: for an unknown id, or a file that cannot be read.
    """
    settings = _settings(settings)
    return _family(settings).describe(settings)


SUCCESS_RATES = "normalized scores are success rates x 100"


def environment_note(settings: DatasetSettings | str, evaluated_on: str | None = None) -> str | None:
    """Return a note for captions on the scores, and on differences between environment and data.

    Args:
        evaluated_on: the environment recorded in results, if otherwise only the dataset's file names it.
    """
    settings = _settings(settings)
    from harness.datasets import registry

    if settings.mixture is not None:
        return environment_note(next(iter(settings.mixture)))
    if settings.name in registry.registered():
        task = registry.find(settings.name).task
        if settings.environment not in (None, task.environment):
            return f"evaluated on {settings.environment}, which is not the task of the data"
        return "; ".join(filter(None, [SUCCESS_RATES if task.success_rate else None, task.note])) or None
    if settings.name.startswith(OGBENCH) and settings.path is None and settings.environment is None:
        return SUCCESS_RATES
    task_of_own = registry.task_of_environment(settings.environment or evaluated_on)
    return SUCCESS_RATES if task_of_own and task_of_own.success_rate else None


def _settings(settings: DatasetSettings | str) -> DatasetSettings:
    return provided.with_file(DatasetSettings(name=settings) if isinstance(settings, str) else settings)
