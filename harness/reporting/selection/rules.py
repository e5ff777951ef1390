"""Rules that rank and select samples of a search: by scores, which need the environment, or by data alone."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting.catalogue import OFFLINE_RULES, Score
from harness.reporting.results import Results
from harness.reporting.selection.candidates import Candidates, all_candidates


@dataclass(frozen=True)
class Selected:
    """The samples of a search that a rule ranks first on a dataset.

    Attributes:
        dataset: None for all datasets together.
        selected: the first k samples, the best first.
        score: the true score of the first: its mean over seeds; over datasets their mean. NaN where these
            are not normalized.
        best: the largest true score of all samples.
    """

    search: str
    dataset: str | None
    selected: tuple[str, ...]
    score: float
    best: float
    samples: int


def merits(results: Results, candidates: Candidates, rule: str) -> NDArray[np.float64]:
    """Return a rule's merit of each sample, [n], a mean over seeds; larger is better.

    `fqe` is the estimated value, `td_error` the negative TD error, `final`, `last` and `best` the score.
    NaN where an estimate is not finite.

    Raises:
        HarnessError: where a sample has no estimate.
    """
    if rule in OFFLINE_RULES:
        return np.asarray(policy_merits(results, candidates, rule).mean(axis=1))
    scores = results.score_arrays(cast(Score, rule))
    return np.array([scores[name, candidates.dataset].mean() for name in candidates.names])


def policy_merits(results: Results, candidates: Candidates, rule: str) -> NDArray[np.float64]:
    """Return an offline rule's merit of each policy, [n, seeds]; larger is better.

    Raises:
        HarnessError: where a policy has no estimate.
    """
    how = (
        "add `selection: {method: fqe}` to the experiment file, and compute them with: harness run FILE "
        f"--output {shlex.quote(results.source)}"
    )
    if results.experiment is not None and results.experiment.selection is not None:
        how = f"compute them with: harness resume {shlex.quote(results.source)}"
    frame = results.estimates
    if frame.empty:
        raise HarnessError(f"{results.source}: no {rule} estimates; {how}")
    own = frame[frame["dataset"] == candidates.dataset].set_index(["algorithm", "seed"])[rule]
    wanted = [(name, seed) for name in candidates.names for seed in candidates.seeds]
    lacking = [trial for trial in wanted if trial not in own.index]
    if lacking:
        raise HarnessError(
            f"{results.source}: {len(lacking)} of {len(wanted)} policies of {candidates.search} on "
            f"{candidates.dataset} have no {rule} estimate; {how}"
        )
    values = own.loc[wanted].to_numpy(np.float64).reshape(candidates.scores.shape)
    return -values if rule == "td_error" else values


def select(results: Results, rule: str, score: Score, top: int = 1) -> list[Selected]:
    """Select the first samples of each search on each dataset, and over all its datasets.

    Over datasets, `final`, `last` and `best` select by the mean of normalized scores. Estimates, like
    returns, have a different scale on each dataset, so they select by the mean of the ranks.

    Raises:
        HarnessError: for fewer than `top` samples, and if all estimates of a search are NaN.
    """
    candidates = all_candidates(results, score)
    found = []
    for search in dict.fromkeys(each.search for each in candidates):
        own = [each for each in candidates if each.search == search]
        by_dataset = [merits(results, each, rule) for each in own]
        for each, merit in zip(own, by_dataset, strict=True):
            if top > (count := len(each.names)):
                raise HarnessError(f"--top {top}: {search} has {count} finished samples on {each.dataset}")
            found.append(_first(each.search, each.dataset, each.names, merit, each.means, top))
        if len(own) > 1 and (together := _over_datasets(results, own, by_dataset, rule, top)) is not None:
            found.append(together)
    return found


def _first(
    search: str,
    dataset: str | None,
    names: Sequence[str],
    merit: NDArray[np.float64],
    truth: NDArray[np.float64],
    top: int,
) -> Selected:
    if np.isnan(merit).all():
        where = f" on {dataset}" if dataset else ""
        raise HarnessError(f"no estimate of {search}{where} is a finite number: every critic diverged")
    order = ranked(merit)[:top]
    selected = tuple(names[at] for at in order)
    return Selected(search, dataset, selected, float(truth[order[0]]), float(truth.max()), len(names))


def _over_datasets(
    results: Results,
    own: Sequence[Candidates],
    by_dataset: Sequence[NDArray[np.float64]],
    rule: str,
    top: int,
) -> Selected | None:
    """Select one sample for all datasets; None where they share fewer than two samples."""
    from scipy import stats

    shared = [name for name in own[0].names if all(name in each.names for each in own)]
    if len(shared) < 2 or top > len(shared):
        return None
    places = [[each.names.index(name) for name in shared] for each in own]
    merit = np.stack([values[at] for values, at in zip(by_dataset, places, strict=True)])
    truth = np.stack([each.means[at] for each, at in zip(own, places, strict=True)])
    comparable = all(each.dataset in results.normalized for each in own)
    if rule in OFFLINE_RULES or not comparable:
        merit = stats.rankdata(np.where(np.isnan(merit), -np.inf, merit), axis=1)
    if not comparable:
        truth = np.full_like(truth, np.nan)
    return _first(own[0].search, None, shared, merit.mean(axis=0), truth.mean(axis=0), top)


def rank_correlation(estimates: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation of [n] estimates with [n] true scores.

    Estimates that are not finite are left out; the result is NaN if fewer than two remain or all are equal.
    """
    from scipy import stats

    known = np.isfinite(estimates)
    if any(len(set(values[known])) < 2 for values in (estimates, truth)):
        return float("nan")
    return float(stats.spearmanr(estimates[known], truth[known]).statistic)


def ranked(estimates: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of estimates in descending order; NaN, from diverged critics, comes last."""
    return np.argsort(-estimates, kind="stable")


def regret_at(k: int, estimates: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the best true score minus the best among the k samples with the largest estimates.

    It is 0 where the best sample is among these k (Paine et al. 2020, arXiv 2007.09055, section 4).
    """
    return float(truth.max() - truth[ranked(estimates)[:k]].max())
