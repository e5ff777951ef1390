"""Expected online performance: the best of k policies that are deployed (Kurenkov and Kolesnikov 2022)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.reporting.statistics import CONFIDENCE, RANDOM_SEED

REPETITIONS = 1_000
"""Resamples of the bootstrap."""


def expected_online_performance(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the exact expectation, [..., n], of the best of k = 1 ... n policies drawn from n.

    Policies are drawn uniformly with replacement, as in arXiv 2110.04156 (and Dodge et al. 2019, whose
    expected validation performance it is): with sorted scores v_1 <= ... <= v_n,
    sum over i of v_i ((i / n)^k - ((i - 1) / n)^k). At k = n it is below the best score, which n draws may
    miss.
    """
    count = scores.shape[-1]
    shares = np.arange(count + 1) / count
    powers = shares ** np.arange(1, count + 1)[:, None]
    return np.asarray(np.sort(scores, axis=-1) @ np.diff(powers, axis=1).T)


def performance_over_datasets(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over datasets with k policies deployed on each, [n], from scores [n, seeds, D]."""
    return np.asarray(expected_online_performance(scores.mean(axis=1).T).mean(axis=0))


def bootstrap_interval(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 95 % percentile interval [2, n] of `performance_over_datasets`.

    Samples and seeds are drawn with replacement, the same seeds for all samples, because a seed fixes the
    starts of all their episodes: seeds drawn for each sample would add noise, of which the best profits.
    """
    generator = np.random.default_rng(RANDOM_SEED)
    count, seeds, _ = scores.shape
    curves = np.empty((REPETITIONS, count))
    for repetition in range(REPETITIONS):
        samples, drawn = generator.integers(count, size=count), generator.integers(seeds, size=seeds)
        curves[repetition] = performance_over_datasets(scores[np.ix_(samples, drawn)])
    tail = (1 - CONFIDENCE) / 2
    return np.asarray(np.quantile(curves, (tail, 1 - tail), axis=0))
