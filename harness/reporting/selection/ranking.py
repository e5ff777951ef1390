"""Measures of how well estimates rank samples by their true scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_correlation(estimates: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation of [n] estimates with [n] true scores.

    Estimates that are not finite are left out; the result is NaN if fewer than two remain or all are equal.
    """
    from scipy import stats

    known = np.isfinite(estimates)
    one, other = estimates[known], truth[known]
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)


def ranked(estimates: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of estimates in descending order; NaN, from diverged critics, comes last."""
    keys = np.where(np.isnan(estimates), -np.inf, estimates)
    return np.argsort(-keys, kind="stable")


def regret_at(k: int, estimates: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the best true score minus the best among the k samples with the largest estimates.

    It is 0 where the best sample is among these k (Paine et al. 2020, arXiv 2007.09055, section 4).
    """
    return float(truth.max() - truth[ranked(estimates)[:k]].max())
