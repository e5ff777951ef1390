"""Datasets of installed packages: entry points of the group `harness.datasets`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from harness.datasets.registry import registered
from harness.datasets.settings import DatasetSettings
from harness.errors import HarnessError, failure_reason
from harness.validation import validate

ENTRY_POINT_GROUP = "harness.datasets"


@cache
def installed() -> dict[str, EntryPoint]:
    """Return the entry points that provide datasets, by the name of the dataset.

    Each refers to a function without arguments, which returns the settings of a file as an experiment has
    them: `path`, and usually `environment`. It may download the file first.
    """
    return {
        point.name: point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in registered()
    }


def with_file(settings: DatasetSettings) -> DatasetSettings:
    """Return the settings with the file that an installed package provides under this name, if one does.

    What the settings already have precedes what the package says.

    Raises:
        HarnessError: if the package's function cannot be imported or fails, or names no file.
    """
    if settings.path is not None or settings.mixture is not None or settings.name in registered():
        return settings  # without a look at the metadata of all installed packages
    if settings.name not in installed():
        return settings
    point = installed()[settings.name]
    try:
        found = point.load()()
        if not isinstance(found, Mapping) or not found.get("path"):
            raise HarnessError(f"it must return a dictionary with the path of a file, not {found!r}")
        given = settings.model_dump(exclude_none=True)
        return validate(DatasetSettings, {**found, "path": str(found["path"]), **given})
    except Exception as error:  # a package's function can raise anything
        raise HarnessError(
            f"dataset {settings.name} of the entry point {point.value}: {failure_reason(error)}"
        ) from error
