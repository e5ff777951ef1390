"""What the rows of a table are measured in: normalized scores, or returns of any scale."""

from __future__ import annotations

import math
from collections.abc import Iterable

from harness.reporting.results import Results


def dataset_label(results: Results, dataset: str) -> str:
    return dataset if results.metric[dataset] == "normalized_score" else f"{dataset} (return)"


def decimals(results: Results, dataset: str, scores: Iterable[float | None]) -> int:
    """One for normalized scores; of returns enough for three digits of the largest, but no more than four."""
    if results.metric[dataset] == "normalized_score":
        return 1
    largest = max((abs(score) for score in scores if score is not None and math.isfinite(score)), default=0.0)
    return min(4, max(1, 2 - math.floor(math.log10(largest)))) if largest else 1
