"""Files of users in D4RL's layout."""

from __future__ import annotations

from pathlib import Path

from harness.datasets import hdf5
from harness.datasets.dataset import OfflineDataset
from harness.datasets.file_source import FileSource
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError


def check(settings: DatasetSettings) -> None:
    """Check that the file exists and is HDF5.

    Raises:
        HarnessError: if it does not exist or is not HDF5.
    """
    path = _path(settings)
    if not path.exists():
        raise HarnessError(
            f"dataset {settings.name}: {path}: no such file; if it was moved, give its path with "
            "--set datasets.N.path=FILE"
        )
    hdf5.check_signature(path)


def load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a file in D4RL's layout.

    Further facts come from, in this order: the settings, the file's own attributes (those that `harness data
    collect` writes), the registered dataset that it equals, and for reference scores D4RL's table for the
    environment.
    """
    return FileSource(_path(settings), settings).load(data, next_actions)


def download_size(settings: DatasetSettings) -> int:
    """Return 0, because nothing is downloaded."""
    return 0


def known_environment(settings: DatasetSettings) -> None:
    """Return None, because the file must be read."""


def _path(settings: DatasetSettings) -> Path:
    return Path(settings.path or "").expanduser()
