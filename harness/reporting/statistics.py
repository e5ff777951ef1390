"""Aggregates over datasets and seeds with stratified bootstrap intervals (Agarwal et al. 2021, rliable)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting.catalogue import Score, Spread
from harness.reporting.results import Results
from harness.scores import DDOF

CONFIDENCE = 0.95
REPETITIONS = 2_000
"""Resamples of every bootstrap."""
CURVE_REPETITIONS = 500
"""Resamples of the bootstrap at each step of a curve."""
RANDOM_SEED = 0

OPTIMAL = 100.0
"""The normalized score from which the optimality gap is measured."""

AGGREGATES = ("IQM", "Median", "Mean", "Optimality gap")


def spread(values: NDArray[np.float64], kind: Spread) -> NDArray[np.float64]:
    """Return the spread around the mean over the first axis, of seeds; NaN for one seed."""
    from scipy import stats

    count = len(values)
    if count < 2:
        return np.full(values.shape[1:], np.nan)
    if kind == "sd":
        return np.asarray(np.std(values, axis=0, ddof=DDOF))
    error = np.std(values, axis=0, ddof=1) / np.sqrt(count)
    return np.asarray(error if kind == "se" else error * stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1))


def iqm_curve(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return at each step the IQM of [seeds, datasets, steps], and its interval, NaN for one seed."""
    seeds, datasets, steps = scores.shape
    values = _trimmed_means(scores.reshape(1, seeds * datasets, steps))[0]
    if seeds < 2:
        return values, np.full((2, steps), np.nan)
    generator = np.random.default_rng(RANDOM_SEED)
    drawn = generator.integers(seeds, size=(CURVE_REPETITIONS, seeds, datasets))
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    intervals = [
        np.quantile(
            _trimmed_means(scores[drawn, np.arange(datasets), step].reshape(len(drawn), -1)[..., None]), ends
        )
        for step in range(steps)
    ]
    return values, np.array(intervals).T


def _trimmed_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of the middle half along the second axis."""
    from scipy import stats

    return np.where(np.isnan(values).any(axis=1), np.nan, stats.trim_mean(values, 0.25, axis=1))


class Estimate(NamedTuple):
    """A number and its 95 % interval; no interval for a single seed."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Matrices:
    """`scores[algorithm]` is [seeds, datasets]; `left_out` has a sentence on each algorithm without."""

    scores: dict[str, NDArray[np.float64]]
    datasets: list[str]
    left_out: list[str]


def score_matrices(results: Results, score: Score = "final") -> Matrices:
    """Return normalized scores, of the algorithms that have every seed on every dataset with such scores.

    Raises:
        HarnessError: if no algorithm has all of them.
    """
    datasets = results.normalized
    if not datasets:
        raise HarnessError(f"{results.source}: statistics need normalized scores; there are none")
    values = results.score_arrays(score)
    seeds = results.expected_seeds
    scores: dict[str, NDArray[np.float64]] = {}
    left_out = []
    for algorithm in results.algorithms:
        columns = {name: values.get((algorithm, name), np.zeros(0)) for name in datasets}
        if lacking := [name for name, column in columns.items() if len(column) < seeds]:
            why = f"fewer than {seeds} seeds on {', '.join(lacking)}"
            left_out.append(f"{results.title(algorithm)} is left out: {why}.")
        else:
            scores[algorithm] = np.stack([column[:seeds] for column in columns.values()], axis=1)
    if not scores:
        raise HarnessError(
            f"{results.source}: statistics need every seed on every dataset for at least one algorithm. "
            + " ".join(left_out)
        )
    return Matrices(scores, datasets, left_out)


def aggregates(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return IQM, median (over datasets, of means over seeds), mean and optimality gap of [seeds, datasets].

    They are those of `rliable.metrics`, in a form that is fast enough for thousands of resamples. A NaN among
    the scores makes all four NaN: trimming and minimum would silently ignore it.
    """
    if np.isnan(scores).any():
        return np.full(len(AGGREGATES), np.nan)
    cut = scores.size // 4
    middle = np.partition(scores, (cut, scores.size - cut - 1), axis=None)[cut : scores.size - cut]
    gap = OPTIMAL - np.minimum(scores, OPTIMAL).mean()
    return np.array([middle.mean(), np.median(scores.mean(axis=0)), scores.mean(), gap])


@lru_cache(maxsize=16)
def aggregate_estimates(results: Results, score: Score = "final") -> dict[str, list[Estimate]]:
    """Return the estimates of each algorithm in the order of `AGGREGATES`."""
    matrices = score_matrices(results, score)
    return {name: _estimates(aggregates, scores) for name, scores in matrices.scores.items()}


def improvement(better: NDArray[np.float64], than: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability that a seed of `better` beats one of `than`; ties count half.

    Scores are [seeds, datasets]; the numbers of seeds may differ. The result is a mean over datasets.
    """
    if np.isnan(better).any() or np.isnan(than).any():
        return np.array([np.nan])
    one, other = better[:, None, :], than[None, :, :]
    wins, ties = np.count_nonzero(one > other), np.count_nonzero(one == other)
    return np.array([(wins + 0.5 * ties) / (len(better) * than.size)])


def improvement_estimate(better: NDArray[np.float64], than: NDArray[np.float64]) -> Estimate:
    """Estimate the probability that a run of one algorithm beats a run of another."""
    return _estimates(improvement, better, than)[0]


def performance_profile(
    scores: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of trials above each threshold, [thresholds], and its interval, [2, thresholds]."""
    from rliable import library

    with seeded(RANDOM_SEED):
        profiles, intervals = library.create_performance_profile(
            {"": scores},
            thresholds,
            custom_profile_func=share_above,
            reps=REPETITIONS,
            confidence_interval_size=CONFIDENCE,
        )
    return profiles[""], intervals[""]


def share_above(scores: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same as rliable's function, by one sort instead of a comparison with each threshold."""
    return 1 - np.searchsorted(np.sort(scores, axis=None), thresholds, side="right") / scores.size


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global random state, which rliable always draws from, and restore it afterwards."""
    state: Any = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def _estimates(function: Callable[..., NDArray[np.float64]], *scores: NDArray[np.float64]) -> list[Estimate]:
    """Return the results of `function` on the scores, each with its bootstrap interval."""
    from rliable import library

    if any(len(array) < 2 or np.isnan(array).any() for array in scores):
        return [Estimate(float(value), None) for value in function(*scores)]
    with seeded(RANDOM_SEED):
        points, intervals = library.get_interval_estimates(
            {"": scores[0] if len(scores) == 1 else list(scores)},
            function,
            reps=REPETITIONS,
            confidence_interval_size=CONFIDENCE,
        )
    return [
        Estimate(float(value), (float(low), float(high)))
        for value, low, high in zip(points[""], *intervals[""], strict=True)
    ]
