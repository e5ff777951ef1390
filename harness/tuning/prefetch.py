"""Downloads datasets with a progress bar before Ray starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness import datasets
from harness.datasets import registry
from harness.datasets.download import download
from harness.datasets.progress import download_bar
from harness.datasets.settings import DatasetSettings


def prefetch(wanted: Iterable[DatasetSettings], fetch: Callable[..., object] = download) -> None:
    """Download the registered datasets that are not on this machine yet; workers fetch all others.

    Raises:
        HarnessError: if a dataset cannot be downloaded.
    """
    registered = [settings for settings in wanted if settings.path is None]
    names = sorted({name for settings in registered for name in (settings.mixture or [settings.name])})
    missing = [name for name in names if name in registry.registered() and datasets.download_size(name) != 0]
    for name in missing:
        with download_bar(f"download {name}") as progress:
            fetch(registry.find(name), progress=progress)
