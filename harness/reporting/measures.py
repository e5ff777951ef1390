"""The titles of variants and datasets in tables and figures, and the decimals of their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

from harness.reporting.names import algorithm_label
from harness.reporting.results import Results


def title_of(results: Results, name: str) -> str:
    """Return the title of a variant or dataset: its `label`, or a title derived from its name."""
    return results.titles.get(name) or algorithm_label(name)


def dataset_label(results: Results, dataset: str) -> str:
    """Return the title of a dataset, with a note where it is measured in returns."""
    title = title_of(results, dataset)
    return title if results.metric[dataset] == "normalized_score" else f"{title} (return)"


def decimals(results: Results, dataset: str, scores: Iterable[float | None]) -> int:
    """Return 1 for normalized scores; for returns enough for three digits of the largest, at most 4."""
    if results.metric[dataset] == "normalized_score":
        return 1
    largest = max((abs(score) for score in scores if score is not None and math.isfinite(score)), default=0.0)
    return min(4, max(1, 2 - math.floor(math.log10(largest)))) if largest else 1
