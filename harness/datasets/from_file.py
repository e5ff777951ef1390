"""Files in D4RL's layout: those of users, and those of registered datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich import filesize

from harness.datasets import hdf5, registry
from harness.datasets.dataset import OfflineDataset
from harness.datasets.description import Description, file_fact, recording_facts, reference_facts
from harness.datasets.download import download
from harness.datasets.file_source import FileSource
from harness.datasets.progress import download_bar
from harness.datasets.recording import Recording
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError


def check(settings: DatasetSettings) -> None:
    """Check that the name is registered or, for a file of the user, that it exists and is HDF5."""
    path = _path(settings)
    if settings.path is None:
        return
    if not path.exists():
        raise HarnessError(
            f"dataset {settings.name}: {path}: no such file; if it was moved, give its path with "
            "--set datasets.N.path=FILE"
        )
    hdf5.check_signature(path)


def load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a file in D4RL's layout; that of a registered dataset is downloaded first if it is not here.

    Further facts come from, in this order: the settings, the file's own attributes (those that `harness data
    collect` writes), the registered dataset that it equals, and for reference scores D4RL's table for the
    environment.
    """
    path = _path(settings)
    if settings.path is None and not path.exists():
        with download_bar(settings.name) as progress:
            download(registry.find(settings.name), progress=progress)
    return FileSource(path, settings).load(data, next_actions)


def download_size(settings: DatasetSettings) -> int | None:
    """Return the bytes that are still to be downloaded; None if that is not known."""
    if settings.path is not None or _path(settings).exists():
        return 0
    return registry.find(settings.name).size


def known_environment(settings: DatasetSettings) -> str | None:
    """Return the id of a registered dataset's environment; None for a file, which must be read."""
    registered = registry.registered().get(settings.name) if settings.path is None else None
    return registered.task.environment if registered else None


def describe(settings: DatasetSettings) -> Description:
    """Describe a file, or a registered dataset that may not be on this machine.

    Raises:
        HarnessError: for an unknown name, or a file that cannot be read.
    """
    path = _path(settings)
    if settings.path is not None:
        return _describe(path, settings, {})
    registered = registry.find(settings.name)
    facts = {"environment": registered.task.environment}
    facts |= {"note": registered.task.note} if registered.task.note else {}
    facts |= {"source": registered.url or "comes with this package"}
    if path.exists():
        return _describe(path, settings, facts)
    size = f", {filesize.decimal(registered.size)}" if registered.size else ""
    facts["file"] = f"not here (`harness data download {settings.name}`{size})"
    return Description(settings.name, facts | reference_facts(registered.reference, np.zeros(0)))


def _describe(path: Path, settings: DatasetSettings, known: dict[str, str]) -> Description:
    source = FileSource(path, settings)
    facts = {"environment": source.environment or "unknown (--environment names it)"} | known
    for key, title in (("policy", "made by"), ("source", "made from")):
        if key in source.attributes:
            facts[title] = str(source.attributes[key])
    facts["file"] = file_fact(path)
    sizes = f"observations {source.observation_size}, actions {source.action_size}"
    facts["steps"] = f"{source.steps} ({sizes})"
    returns = np.zeros(0)
    try:
        recording = source.read(DataSettings())
    except HarnessError as error:
        facts["problem"] = str(error)
    else:
        returns = recording.episode_returns()
        facts |= recording_facts(recording) | _task_facts(source, recording)
    facts |= reference_facts(source.reference, returns)
    return Description(settings.name, facts, returns, source.steps)


def _task_facts(source: FileSource, recording: Recording) -> dict[str, str]:
    """Compare sizes and actions with those of the task."""
    try:
        size, action_range = source.task_spaces()
    except HarnessError as error:
        return {"actions": f"their range is unknown ({error})"}
    task, found, facts = source.environment or "the task", source.action_size, {}
    if size not in (None, source.observation_size):
        facts["observations"] = (
            f"of size {source.observation_size}, but those of {task} are of size {size}: it is another task"
        )
    if action_range is None:
        actions = "their range is unknown"
    elif found != (expected := len(action_range.low)):
        actions = f"of size {found}, but {task} takes actions of size {expected}: it is another task"
    elif outside := action_range.exceeded_by(recording.actions):
        actions = f"{outside}; data.clip_actions=true clips them"
    else:
        actions = "in the task's range"
    return facts | {"actions": actions}


def _path(settings: DatasetSettings) -> Path:
    """Return where the file is, or will be once it is downloaded; the name must be registered."""
    if settings.path is None:
        return registry.find(settings.name).local_path
    return Path(settings.path).expanduser()
