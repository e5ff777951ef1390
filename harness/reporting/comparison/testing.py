"""Tests the differences between variants, on each dataset and over all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.reporting.catalogue import Score
from harness.reporting.comparison.model import Comparison, Difference
from harness.reporting.results import Results
from harness.reporting.significance import LEVEL, holm, of_independent, of_pairs

FEWEST_SEEDS = 3
"""With two seeds, a test finds hardly any difference, however large."""


@dataclass(frozen=True)
class Side:
    """One variant of some results, by its name in messages."""

    name: str
    results: Results
    scores: Mapping[str, pd.Series[float]]
    """By dataset, those of the finished seeds, indexed by seed."""

    @classmethod
    def of(cls, name: str, results: Results, variant: str, score: Score) -> Side:
        """Collect the scores of a variant in these results."""
        every = results.seed_scores(score)
        nothing = pd.Series(dtype=float)
        return cls(name, results, {each: every.get((variant, each), nothing) for each in results.datasets})

    def is_complete(self, dataset: str) -> bool:
        """Return whether every requested seed has a score."""
        return len(self.scores[dataset]) == self.results.expected_seeds


Pairs = Mapping[str, tuple[Side, Side]]
"""Variant to A and B."""


def compare_pairs(
    pairs: Pairs, datasets: Sequence[str], score: Score, paired: bool | None, margin: float | None
) -> Comparison:
    """Test every pair on each dataset and over all; the two families are corrected separately.

    Raises:
        HarnessError: if `paired` is set and the seeds differ.
    """
    by_seed = _is_paired(pairs, datasets, paired)

    def tested(groups: Sequence[Sequence[str]]) -> list[Difference]:
        cells = itertools.product(pairs.items(), groups)
        return _judged([_difference(name, a, b, group, by_seed, margin) for (name, (a, b)), group in cells])

    judged = tested([[name] for name in datasets])
    if len(datasets) > 1:
        judged += tested([datasets])
    differences = tuple(one for variant in pairs for one in judged if one.variant == variant)
    return Comparison(score, by_seed, margin, differences)


def _difference(
    variant: str, a: Side, b: Side, datasets: Sequence[str], paired: bool, margin: float | None
) -> Difference:
    """Compare means over datasets of means over seeds; `_judged` makes the verdict final."""
    dataset = datasets[0] if len(datasets) == 1 else None
    obstacles = ((name, _obstacle(a, b, name)) for name in datasets)
    reason = next((why if dataset else f"{name}: {why}" for name, why in obstacles if why), "")
    means = [float(np.mean([side.scores[name].mean(skipna=False) for name in datasets])) for side in (a, b)]
    normalized = all(name in side.results.normalized for side in (a, b) for name in datasets)
    if dataset is None and not normalized:
        means, reason = [math.nan, math.nan], "returns have no scale common to all datasets"
    place = a.results.dataset_title(dataset) if dataset else "all datasets"
    one = Difference(
        variant=variant,
        dataset=dataset,
        title=f"{a.results.title(variant)}, {place}",
        mean_a=means[0],
        mean_b=means[1],
        difference=means[1] - means[0],
        decimals=a.results.decimals(dataset, means) if dataset else 1,
        reason=reason,
    )
    if _is_identical(a, b, datasets):
        return replace(one, difference=0.0, verdict="identical")
    if reason:
        return one
    samples = ([np.asarray(side.scores[name], dtype=np.float64) for name in datasets] for side in (a, b))
    contrast = of_pairs(*samples) if paired else of_independent(*samples)
    return replace(
        one,
        interval=contrast.interval,
        t_test=contrast.t_test(),
        bootstrap=contrast.bootstrap(),
        equivalence=contrast.equivalence(margin) if normalized and margin is not None else math.nan,
        verdict="no difference found",
    )


def _is_identical(a: Side, b: Side, datasets: Sequence[str]) -> bool:
    """Return whether the same seeds have exactly the same scores; NaN equals NaN."""
    return all(
        len(a.scores[name])
        and a.results.score_column(name) == b.results.score_column(name)
        and a.scores[name].equals(b.scores[name])
        for name in datasets
    )


def _judged(differences: Sequence[Difference]) -> list[Difference]:
    """Correct the p-values by Holm's procedure, and derive the verdicts."""
    t_tests = holm([one.t_test for one in differences])
    bootstraps = holm([one.bootstrap for one in differences])
    equivalences = holm([one.equivalence for one in differences])
    return [
        _with_verdict(replace(one, t_test=t_test, bootstrap=bootstrap, equivalence=equivalence))
        for one, t_test, bootstrap, equivalence in zip(
            differences, t_tests, bootstraps, equivalences, strict=True
        )
    ]


def _with_verdict(one: Difference) -> Difference:
    if one.verdict != "no difference found":
        return one
    if one.equivalence < LEVEL:
        return replace(one, verdict="same")
    if max(one.t_test, one.bootstrap) < LEVEL and round(one.difference, one.decimals):
        return replace(one, verdict="better" if one.difference > 0 else "worse")
    return one


def _obstacle(a: Side, b: Side, dataset: str) -> str:
    """Return why two sides cannot be compared on a dataset; an empty string if they can."""
    if a.results.score_column(dataset) != b.results.score_column(dataset):
        return "one has normalized scores, the other returns"
    for side in (a, b):
        seeds, expected = side.scores[dataset], side.results.expected_seeds
        if not side.is_complete(dataset):
            return f"{side.name} has {len(seeds)} of {expected} seeds"
        if len(seeds) < FEWEST_SEEDS:
            return f"{side.name} has fewer than {FEWEST_SEEDS} seeds"
        if seeds.isna().any():
            return f"{side.name} has NaN scores"
    return ""


def _is_paired(pairs: Pairs, datasets: Sequence[str], asked: bool | None) -> bool:
    """Return whether to pair by seed, which needs the same seeds in every tested cell."""
    tested = [
        (a.scores[name], b.scores[name])
        for a, b in pairs.values()
        for name in datasets
        if a.is_complete(name) and b.is_complete(name)
    ]
    same_seeds = len({tuple(scores.index) for both in tested for scores in both}) == 1
    if asked and tested and not same_seeds:
        raise HarnessError("--paired requires the same seeds in A and B on every dataset; leave it out")
    if asked is not None:
        return asked
    runs = [side.results.experiment for pair in pairs.values() for side in pair]
    starts = {(run.evaluation.seed, run.evaluation.episodes) if run else None for run in runs}
    return same_seeds and len(starts) == 1 and None not in starts
