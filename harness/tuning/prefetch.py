"""Downloads datasets with a progress bar before Ray starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from harness import datasets
from harness.datasets import registry
from harness.datasets.download import download
from harness.datasets.settings import DatasetSettings


def prefetch(wanted: Iterable[DatasetSettings], fetch: Callable[..., object] = download) -> None:
    """Download the registered datasets that are not on this machine yet; workers fetch all others.

    Raises:
        HarnessError: if a dataset cannot be downloaded.
    """
    registered = [settings for settings in wanted if settings.path is None]
    names = sorted({name for settings in registered for name in (settings.mixture or [settings.name])})
    missing = [name for name in names if name in registry.registered() and datasets.download_size(name) != 0]
    if not missing:
        return
    columns = (
        TextColumn("download {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bars:
        for name in missing:
            bar = bars.add_task(name, total=datasets.download_size(name))
            fetch(
                registry.find(name),
                progress=lambda here, total, bar=bar: bars.update(bar, completed=here, total=total),
            )
