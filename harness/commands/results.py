"""Results for tables and figures, completed from the dataset registry."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.reporting.catalogue import Score
from harness.writing import inside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.datasets.settings import DatasetSettings
    from harness.reporting.results import Results


def load_results(target: str, only: Sequence[str] = ()) -> Results:
    """Read the results that `--only` selects, and complete them from the dataset registry.

    Notes state how the evaluation task differs from the one that a dataset was collected in. Returns that
    another tool wrote are normalized if the dataset has reference scores.
    """
    from harness import datasets
    from harness.reporting import reading
    from harness.reporting.subset import narrowed

    results = narrowed(reading.load(target), only)
    if results.experiment is None:
        return _normalized(results)
    recorded = results.manifest.get("datasets", {})
    by_note: dict[str, list[str]] = {}
    for settings in _settings(results):
        evaluated_on = recorded.get(settings.name, {}).get("environment")
        note = datasets.environment_note(settings, evaluated_on)
        if note:
            by_note.setdefault(note, []).append(settings.name)
    notes = [
        f"{note[0].upper()}{note[1:]}."
        if len(names) == len(results.datasets)
        else f"{', '.join(names)}: {note}."
        for note, names in by_note.items()
    ]
    return replace(results, notes=(*results.notes, *notes))


def output_path(results: str, name: str) -> Path:
    """Return the path of an output in a results directory, or next to a results file."""
    if "://" in results:
        raise HarnessError(f"--output is needed for results that are not on this machine, such as {results}")
    path = Path(results)
    return inside(path if path.is_dir() else path.parent, name)


def load_selected(target: str, select: str, score: Score, only: Sequence[str] = ()) -> Results:
    """Read results as `load_results`, with the samples of searches that `--select` and `--score` choose."""
    from harness.reporting.samples import show_chosen

    return show_chosen(load_results(target, only), select, score)


def _normalized(results: Results) -> Results:
    from harness.datasets import registry

    registered = registry.registered()
    frame = results.frame.copy(deep=False)
    normalized = []
    for name in results.datasets:
        reference = registered[name].reference if name in registered else None
        rows = (frame["dataset"] == name) & frame["normalized_score"].isna() & frame["return_mean"].notna()
        if reference is not None and rows.any():
            scores = frame.loc[rows, "return_mean"].map(reference.normalize)
            frame["normalized_score"] = frame["normalized_score"].mask(rows, scores)
            normalized.append(name)
    if not normalized:
        return results
    note = (
        f"Normalized here from returns, with the reference scores of the datasets: {', '.join(normalized)}."
    )
    return replace(results, frame=frame, notes=(*results.notes, note))


def behaviour_returns(results: Results) -> dict[str, NDArray[np.float64]]:
    """Return the episode returns of each dataset that is on this machine."""
    from harness import datasets

    returns = {}
    for settings in _settings(results):
        with suppress(HarnessError):
            returns[settings.name] = datasets.describe(settings).returns
    return {name: values for name, values in returns.items() if len(values)}


def _settings(results: Results) -> list[DatasetSettings]:
    from harness.datasets.settings import DatasetSettings

    if results.experiment:
        return list(results.experiment.datasets)
    return [DatasetSettings(name=name) for name in results.datasets]
