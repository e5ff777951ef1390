"""Joins several results to draw them in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.reporting import records
from harness.reporting.results import Results


class JoinedResults(Results):
    """The finished trials of several results."""

    @property
    def missing(self) -> list[str]:
        """An empty list: the section of each of the results names its missing trials."""
        return []


def join(sources: Sequence[Results], datasets: Sequence[str]) -> JoinedResults:
    """Join the finished trials on some datasets; each variant is called `RESULTS: VARIANT`.

    If the results differ in their numbers of training steps, a trial is finished at the smallest of them.
    """
    frames = []
    for name, results in zip(distinct_names(sources), sources, strict=True):
        rows = results.finished_frame
        rows = rows[rows["dataset"].isin(datasets)]
        titles = {variant: f"{name}: {results.title(variant)}" for variant in results.algorithms}
        variants = rows["algorithm"].astype(str).map(titles)
        frames.append(rows.assign(algorithm=variants, dataset=rows["dataset"].astype(str)))
    joined = records.from_frame(pd.concat(frames, ignore_index=True), "joined")
    steps = {name: min(of.final_steps[name] for of in sources if name in of.datasets) for name in datasets}
    return JoinedResults(joined.source, joined.frame, steps)


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
