"""Tests whether the means of two samples of scores differ, or are equal within a margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.reporting.statistics import CONFIDENCE, RANDOM_SEED

LEVEL = 1 - CONFIDENCE
RESAMPLES = 10_000
ROUNDING = 1e-12
"""Relative to the largest score: smaller differences and errors count as 0."""

Samples = Sequence[NDArray[np.float64]]
"""The scores of the seeds on each dataset."""


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of means of independent samples, such as the mean of B minus the mean of A.

    Its standard error is the root of the sum of w^2 s^2 / n, and its degrees of freedom are those of Welch
    (1947) and Satterthwaite (1946). With a single sample, as of paired differences, they are exactly n - 1.
    Errors and differences up to the size of `rounding` count as 0.
    """

    samples: Samples
    weights: Sequence[float]
    rounding: float

    @property
    def difference(self) -> float:
        """Return the weighted sum of the means."""
        return float(np.dot(self.weights, [np.mean(sample) for sample in self.samples]))

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % confidence interval of Student's t distribution."""
        from scipy import stats

        error, freedom = self._error()
        reach = float(stats.t.ppf(1 - LEVEL / 2, freedom)) * error if error else 0.0
        return self.difference - reach, self.difference + reach

    def t_test(self) -> float:
        """Return the two-sided p-value of the hypothesis that the difference is 0."""
        return min(1.0, 2 * self._tail(abs(self.difference)))

    def equivalence(self, margin: float) -> float:
        """Return the p-value of two one-sided t-tests (TOST; Schuirmann 1987).

        The hypothesis that it tests is that the difference is at least `margin` in either direction: a small
        value shows that it is smaller.
        """
        return self._tail(margin - abs(self.difference))

    def bootstrap(self) -> float:
        """Return the two-sided p-value of the percentile bootstrap; samples are resampled separately."""
        from scipy import stats

        def weighted_means(*samples: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
            means = [np.mean(sample, axis=axis) for sample in samples]
            return np.asarray(np.tensordot(self.weights, means, axes=1), dtype=np.float64)

        resampled = stats.bootstrap(
            tuple(self.samples),
            weighted_means,
            n_resamples=RESAMPLES,
            method="percentile",
            random_state=np.random.default_rng(RANDOM_SEED),
        ).bootstrap_distribution
        at_most = np.count_nonzero(resampled <= self.rounding)
        at_least = np.count_nonzero(resampled >= -self.rounding)
        return min(1.0, 2 * float(min(at_most, at_least) + 1) / (RESAMPLES + 1))

    def _error(self) -> tuple[float, float]:
        """Return the standard error, 0 where it is only rounding, and its degrees of freedom."""
        counts = np.array([len(sample) for sample in self.samples])
        variances = np.square(self.weights) * [np.var(sample, ddof=1) for sample in self.samples] / counts
        total = float(variances.sum())
        if math.sqrt(total) <= self.rounding:
            return 0.0, math.inf
        shares = variances / total  # scaled so that squares do not underflow
        return math.sqrt(total), float(1 / np.sum(shares**2 / (counts - 1)))

    def _tail(self, distance: float) -> float:
        """Return the probability that chance alone moves the difference further than `distance`."""
        from scipy import stats

        error, freedom = self._error()
        if error:
            return float(stats.t.sf(distance / error, freedom))
        return 0.0 if distance > self.rounding else 1.0


def of_pairs(scores_a: Samples, scores_b: Samples) -> Contrast:
    """Return B - A, if a seed means the same random numbers in both and on every dataset.

    Effects of a seed that all share, such as good start states of its episodes, cancel out.
    """
    differences = np.mean([b - a for a, b in zip(scores_a, scores_b, strict=True)], axis=0)
    return Contrast([differences], [1.0], _rounding(*scores_a, *scores_b))


def of_independent(scores_a: Samples, scores_b: Samples) -> Contrast:
    """Return B - A, if the seeds are independent on every dataset; their numbers may differ."""
    weights = [*[-1 / len(scores_a)] * len(scores_a), *[1 / len(scores_b)] * len(scores_b)]
    return Contrast([*scores_a, *scores_b], weights, _rounding(*scores_a, *scores_b))


def of_mean(samples: Samples, paired: bool) -> Contrast:
    """Return the mean over datasets of means over seeds, paired if a seed means the same on every dataset."""
    if paired:
        return Contrast([np.mean(samples, axis=0)], [1.0], _rounding(*samples))
    return Contrast(samples, [1 / len(samples)] * len(samples), _rounding(*samples))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for multiple tests by Holm's step-down procedure (1979); NaN is not counted."""
    adjusted = [float("nan")] * len(p_values)
    known = sorted((p, index) for index, p in enumerate(p_values) if p == p)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        adjusted[index] = largest
    return adjusted


def _rounding(*samples: NDArray[np.float64]) -> float:
    return ROUNDING * max(float(np.max(np.abs(seeds))) for seeds in samples)
