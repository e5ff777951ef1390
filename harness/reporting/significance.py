"""Whether two samples of scores differ: t-tests and bootstraps, of independent seeds or of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.reporting.statistics import CONFIDENCE, RANDOM_SEED

LEVEL = 1 - CONFIDENCE
RESAMPLES = 10_000
ROUNDING = 1e-12
"""Of the largest score: a difference or an error that is no larger is none."""

Samples = Sequence[NDArray[np.float64]]
"""The scores of the seeds on each dataset."""


class Significance(NamedTuple):
    """Of the difference of two means over datasets of means over seeds.

    Attributes:
        interval: the 95 % percentile interval of the bootstrap.
        t_test, bootstrap: two-sided p-values.
    """

    interval: tuple[float, float]
    t_test: float
    bootstrap: float


def of_pairs(of_a: Samples, of_b: Samples) -> Significance:
    """B against A, where a seed has the same random numbers in both, and on every dataset.

    What a seed does to all alike, such as to start its episodes in good places, cancels out.
    """
    differences = np.mean([b - a for a, b in zip(of_a, of_b, strict=True)], axis=0)
    rounding = _rounding(of_a, of_b)
    means = _resampled_means([differences], np.random.default_rng(RANDOM_SEED))
    interval, bootstrap = _bootstrap(means, rounding)
    return Significance(interval, _t_test_of_pairs(differences, rounding), bootstrap)


def of_independent(of_a: Samples, of_b: Samples) -> Significance:
    """B against A, where the seeds have nothing in common; each dataset's are a sample of their own."""
    generator = np.random.default_rng(RANDOM_SEED)
    rounding = _rounding(of_a, of_b)
    differences = _resampled_means(of_b, generator) - _resampled_means(of_a, generator)
    interval, bootstrap = _bootstrap(differences, rounding)
    return Significance(interval, _welch(of_a, of_b, rounding), bootstrap)


def _rounding(of_a: Samples, of_b: Samples) -> float:
    return ROUNDING * max(float(np.max(np.abs(seeds))) for seeds in (*of_a, *of_b))


def _t_test_of_pairs(differences: NDArray[np.float64], rounding: float) -> float:
    from scipy import stats

    error = float(np.std(differences, ddof=1)) / math.sqrt(len(differences))
    mean = abs(float(np.mean(differences)))
    if error <= rounding:
        return 1.0 if mean <= rounding else 0.0
    return float(2 * stats.t.sf(mean / error, len(differences) - 1))


def _welch(of_a: Samples, of_b: Samples, rounding: float) -> float:
    """Over several datasets of the difference of the means over them.

    The variance of the sum over datasets is the sum of theirs; degrees of freedom by Welch and Satterthwaite.
    """
    from scipy import stats

    samples = [*of_a, *of_b]
    variances = np.array([np.var(seeds, ddof=1) / len(seeds) for seeds in samples])
    error = math.sqrt(variances.sum())
    difference = sum(float(np.mean(seeds)) for seeds in of_b) - sum(float(np.mean(seeds)) for seeds in of_a)
    if error <= rounding:
        return 1.0 if abs(difference) <= rounding else 0.0
    shares = variances / variances.sum()
    freedom = 1 / np.sum(shares**2 / np.array([len(seeds) - 1 for seeds in samples]))
    return float(2 * stats.t.sf(abs(difference) / error, freedom))


def _resampled_means(of: Samples, generator: np.random.Generator) -> NDArray[np.float64]:
    """[RESAMPLES] means over datasets, the seeds of each dataset resampled for themselves."""
    resampled = [generator.choice(seeds, size=(RESAMPLES, len(seeds))).mean(axis=1) for seeds in of]
    return np.asarray(np.mean(resampled, axis=0), dtype=np.float64)


def _bootstrap(differences: NDArray[np.float64], rounding: float) -> tuple[tuple[float, float], float]:
    """Percentile interval and two-sided p-value, of differences that resampling gave."""
    differences = np.where(np.abs(differences) <= rounding, 0.0, differences)
    low, high = np.quantile(differences, [LEVEL / 2, 1 - LEVEL / 2])
    beyond = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return (float(low), float(high)), min(1.0, 2 * float(beyond + 1) / (RESAMPLES + 1))
