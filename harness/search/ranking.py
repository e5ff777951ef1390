"""Ranks the samples of a search by the scores of their trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np


class TrialScore(NamedTuple):
    """The score of a trial, at a rung or its end; -inf if training diverged before."""

    dataset: str
    score: float
    normalized: bool


def by_merit(scores: Mapping[str, Sequence[TrialScore]]) -> tuple[str, ...]:
    """Return the samples, the best first; equal ones stay in their order.

    Samples are compared by their mean over seeds and datasets. Returns on several datasets are not comparable
    without reference scores, so there the means are replaced by their ranks on each dataset. All samples
    have trials on the same datasets.
    """
    by_dataset = {sample: means(of_sample) for sample, of_sample in scores.items()}
    datasets = list(next(iter(by_dataset.values()), {}))
    merits = np.array([[own[dataset] for dataset in datasets] for own in by_dataset.values()])
    normalized = all(each.normalized for of_sample in scores.values() for each in of_sample)
    if not normalized and len(datasets) > 1:
        from scipy.stats import rankdata

        merits = rankdata(merits, axis=0)
    merit = dict(zip(by_dataset, map(fmean, merits.tolist()), strict=True))
    return tuple(sorted(merit, key=lambda sample: -merit[sample]))


def means(scores: Iterable[TrialScore]) -> dict[str, float]:
    """Return the mean score on each dataset, which does not depend on the order of the trials."""
    by_dataset: dict[str, list[float]] = {}
    for each in scores:
        by_dataset.setdefault(each.dataset, []).append(each.score)
    return {dataset: fmean(values) for dataset, values in by_dataset.items()}
