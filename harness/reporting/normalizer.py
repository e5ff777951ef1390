"""Infers how returns map to normalized scores on a dataset from records that have both."""

from __future__ import annotations

import numpy as np

from harness.errors import HarnessError
from harness.reporting.results import Results


def normalizer(results: Results, dataset: str) -> tuple[float, float]:
    """Return slope and intercept from returns to normalized scores.

    They are (1, 0) for a dataset without normalized scores.

    Raises:
        HarnessError: where all returns are the same.
    """
    if results.metric[dataset] == "return_mean":
        return 1.0, 0.0
    measures = results.frame[["return_mean", "normalized_score"]]
    rows = measures[results.frame["dataset"] == dataset].dropna()
    returns, scores = rows["return_mean"].to_numpy(), rows["normalized_score"].to_numpy()
    if len(returns) == 0 or np.ptp(returns) == 0:
        raise HarnessError(
            f"{results.source}: cannot infer the reference scores of {dataset} from its records, in which "
            "all returns are equal"
        )
    low, high = np.argmin(returns), np.argmax(returns)
    slope = float((scores[high] - scores[low]) / (returns[high] - returns[low]))
    return slope, float(scores[low] - slope * returns[low])
