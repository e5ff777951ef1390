"""Results with what the dataset registry knows about them, for tables and figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.experiment import DatasetSettings
    from harness.reporting.results import Results


def load_results(target: str) -> Results:
    """Read results; their notes say how a task differs from the one that a dataset was made in.

    Raises:
        HarnessError: for results that are missing, damaged or contradictory.
    """
    from harness import datasets
    from harness.reporting import records

    results = records.load(target)
    by_note: dict[str, list[str]] = {}
    for settings in _settings(results):
        note = datasets.environment_note(settings)
        if note:
            by_note.setdefault(note, []).append(settings.name)
    notes = [
        f"{note[0].upper()}{note[1:]}."
        if len(names) == len(results.datasets)
        else f"{', '.join(names)}: {note}."
        for note, names in by_note.items()
    ]
    return replace(results, notes=(*results.notes, *notes))


def behaviour_returns(results: Results) -> dict[str, NDArray[np.float64]]:
    """Dataset to the returns of its episodes, of the datasets that are on this machine."""
    returns = {settings.name: _episode_returns(settings) for settings in _settings(results)}
    return {name: values for name, values in returns.items() if len(values)}


def _settings(results: Results) -> list[DatasetSettings]:
    from harness.experiment import DatasetSettings

    if results.experiment:
        return list(results.experiment.datasets)
    return [DatasetSettings(name=name) for name in results.datasets]


def _episode_returns(settings: DatasetSettings) -> NDArray[np.float64]:
    """Of a mixture: those of its parts, in their shares."""
    import numpy as np

    from harness.datasets.description import describe
    from harness.errors import HarnessError

    if settings.mixture is not None:
        from harness.experiment import DatasetSettings

        parts = [_episode_returns(DatasetSettings(name=name)) for name in settings.mixture]
        smallest = min(len(part) for part in parts)
        counts = [round(share * smallest) for share in settings.mixture.values()]
        return np.concatenate([part[:count] for part, count in zip(parts, counts, strict=True)])
    try:
        return describe(settings.path or settings.name, settings.environment).returns
    except HarnessError:
        return np.zeros(0)
