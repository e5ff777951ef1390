"""Several results side by side: one figure of their curves, and tests of their differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from harness.errors import HarnessError
from harness.reporting.catalogue import Score
from harness.reporting.comparison import Comparison, compare
from harness.reporting.figures import Material
from harness.reporting.reading.columns import in_order
from harness.reporting.report.pictures import Picture, as_pixels, draw_picture
from harness.reporting.results import Results
from harness.reporting.tables.comparison import comparison_table
from harness.reporting.tables.model import Table

LARGEST = 300_000
"""Bytes of the figure as SVG; a larger one is shown as pixels."""


def shared_curves(sources: Sequence[Results], score: Score) -> Picture | None:
    """Draw the learning curves on the datasets that at least two of the results have."""
    names = [name for results in sources for name in results.datasets]
    shared = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    metrics = {
        name: {source.score_column(name) for source in sources if name in source.datasets} for name in shared
    }
    shared = [name for name in shared if len(metrics[name]) == 1]
    if not shared:
        return None
    picture = draw_picture("learning-curves", Material(join(sources, shared), score))
    return picture if len(picture.content) <= LARGEST else as_pixels(picture)


def verdicts(
    names: Sequence[str], sources: Sequence[Results], score: Score
) -> Iterator[tuple[str, str, Table | None]]:
    """Compare each of the results with the first: yield a title, the finding, and the table, if any."""
    for name, results in list(zip(names, sources, strict=True))[1:]:
        title = f"{name} (B) against {names[0]} (A)"
        try:
            comparison = compare(sources[0], results, score)
            yield title, _summary(comparison), comparison_table(comparison)
        except HarnessError as reason:
            yield title, f"Not compared: {reason}.", None


def _summary(comparison: Comparison) -> str:
    """Count the verdicts on single datasets, and give those over all of them."""
    cells = [one.verdict for one in comparison.differences if one.dataset]
    counts = ", ".join(f"{cells.count(verdict)} {verdict}" for verdict in dict.fromkeys(cells))
    overall = [f"{one.title}: {one.verdict}." for one in comparison.differences if one.dataset is None]
    return " ".join([f"B on single datasets: {counts}.", *overall])


def join(sources: Sequence[Results], datasets: Sequence[str]) -> Results:
    """Join the finished trials on some datasets; each variant is called `RESULTS: VARIANT`.

    The protocols may differ. A trial is finished at the smallest number of gradient steps among the results.
    """
    frames = []
    for name, results in zip(distinct_names(sources), sources, strict=True):
        rows = results.finished_frame
        rows = rows[rows["dataset"].isin(datasets)]
        titles = {variant: f"{name}: {results.title(variant)}" for variant in results.algorithms}
        variants = rows["algorithm"].astype(str).map(titles)
        frames.append(rows.assign(algorithm=variants, dataset=rows["dataset"].astype(str)))
    frame = pd.concat(frames, ignore_index=True).astype({"algorithm": "category", "dataset": "category"})
    steps = {
        name: min(source.final_steps[name] for source in sources if name in source.datasets)
        for name in datasets
    }
    return Results("joined", in_order(frame, None), steps)


def distinct_names(sources: Sequence[Results]) -> list[str]:
    """Return the names of results; a name that several share is followed by the folder or file."""
    names = [results.name for results in sources]
    longer = [
        f"{name} ({Path(results.source).name})" if names.count(name) > 1 else name
        for name, results in zip(names, sources, strict=True)
    ]
    return [
        f"{name} #{longer[: index + 1].count(name)}" if longer.count(name) > 1 else name
        for index, name in enumerate(longer)
    ]
