"""Ranks samples by a single number that combines their scores on several datasets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence


def merits(scores: Mapping[str, Mapping[str, float]], normalized: bool) -> dict[str, float]:
    """Return the number by which each sample is compared; larger is better.

    Args:
        scores: by sample and dataset, a mean over seeds. All samples have the same datasets.
        normalized: whether the scores of different datasets are comparable. If so, the number is their mean,
            otherwise the mean of the sample's ranks on the datasets.
    """
    datasets = list(next(iter(scores.values()), {}))
    if not normalized and len(datasets) > 1:
        scores = _ranks(scores, datasets)
    return {sample: mean([own[dataset] for dataset in datasets]) for sample, own in scores.items()}


def _ranks(scores: Mapping[str, Mapping[str, float]], datasets: list[str]) -> dict[str, Mapping[str, float]]:
    """Return ranks, 1 for the worst; equal scores share their mean rank."""
    ranks: dict[str, dict[str, float]] = {sample: {} for sample in scores}
    for dataset in datasets:
        for sample, own in scores.items():
            below = sum(other[dataset] < own[dataset] for other in scores.values())
            equal = sum(other[dataset] == own[dataset] for other in scores.values())
            ranks[sample][dataset] = below + (equal + 1) / 2
    return dict(ranks)


def means(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the mean by dataset of (dataset, score) pairs, such as those of a sample's trials."""
    by_dataset: dict[str, list[float]] = {}
    for dataset, score in scores:
        by_dataset.setdefault(dataset, []).append(score)
    return {dataset: mean(values) for dataset, values in by_dataset.items()}


def mean(values: Sequence[float]) -> float:
    """Return the mean, which does not depend on the order of values; -inf if any value is."""
    return -math.inf if -math.inf in values else math.fsum(values) / len(values)
