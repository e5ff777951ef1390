"""The files of datasets that installed packages provide."""

from __future__ import annotations

from collections.abc import Mapping

from harness.datasets import registry
from harness.datasets.settings import DatasetSettings
from harness.errors import HarnessError, failure_reason
from harness.validation import validate


def with_file(settings: DatasetSettings) -> DatasetSettings:
    """Return the settings with the file that an installed package provides under this name, if one does.

    What the settings already have precedes what the package says.

    Raises:
        HarnessError: if the package's function cannot be imported or fails, or names no file.
    """
    if settings.path is not None or settings.mixture is not None or settings.name in registry.registered():
        return settings  # without a look at the metadata of all installed packages
    point = registry.installed().get(settings.name)
    if point is None:
        return settings
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
