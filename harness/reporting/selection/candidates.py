"""The candidates for selection: the samples of a search on one dataset, with their scores."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting.catalogue import Score
from harness.reporting.results import Results
from harness.scores import FINAL_EVALUATIONS


@dataclass(frozen=True)
class Candidates:
    """The samples of one search that have finished on one dataset with every seed.

    Attributes:
        search: the name of the variant that is searched.
        names: of the n samples.
        scores: [n, seeds] as `Results.seed_scores`, normalized where the dataset has reference scores.
        samples: their number in the search; more than n if some are unfinished or were stopped early.
    """

    search: str
    dataset: str
    names: tuple[str, ...]
    scores: NDArray[np.float64]
    seeds: tuple[int, ...]
    samples: int

    @property
    def means(self) -> NDArray[np.float64]:
        """Return the mean score of each sample over its seeds, [n], which serves as its true score."""
        return np.asarray(self.scores.mean(axis=1))


def all_candidates(results: Results, score: Score) -> list[Candidates]:
    """Return the candidates of each search on each dataset, in the order of the tables.

    Samples whose scores are not finite are left out, like those that lack a seed.

    Raises:
        HarnessError: when nothing was searched, or no search has two finished samples on a dataset.
    """
    if not results.searches:
        raise HarnessError(
            f"{results.source}: no hyper-parameter was searched, so there is nothing to select; "
            "name values or ranges under `sweep:`"
        )
    values = results.seed_scores(score)
    found = []
    for (name, search), dataset in itertools.product(results.searches.items(), results.datasets):
        complete = {
            sample: scores.sort_index()
            for sample in search.samples
            if (scores := values.get((sample, dataset))) is not None
            and len(scores) == results.expected_seeds
            and np.isfinite(scores).all()
        }
        if len(complete) > 1:
            seeds = tuple(int(seed) for seed in next(iter(complete.values())).index)
            matrix = np.array([scores.to_numpy() for scores in complete.values()], np.float64)
            found.append(Candidates(name, dataset, tuple(complete), matrix, seeds, len(search.samples)))
    if not found:
        raise HarnessError(f"{results.source}: no search has two samples with all seeds done on a dataset")
    return found


def over_datasets(results: Results, candidates: Sequence[Candidates]) -> dict[str, NDArray[np.float64]]:
    """Return by search the scores [n, seeds, D] of the samples that all its normalized datasets share.

    Searches with fewer than two such datasets or samples are left out.
    """
    found = {}
    for name in dict.fromkeys(each.search for each in candidates):
        own = [each for each in candidates if each.search == name and each.dataset in results.normalized]
        shared = [
            sample for sample in results.searches[name].samples if all(sample in each.names for each in own)
        ]
        if len(own) > 1 and len(shared) > 1:
            rows = [each.scores[[each.names.index(sample) for sample in shared]] for each in own]
            found[name] = np.stack(rows, axis=-1)
    return found


def episode_returns(results: Results, candidates: Candidates, score: Score) -> NDArray[np.float64]:
    """Return the recorded returns of each policy, [seeds, n, episodes], normalized as its scores are.

    They are the episodes of the evaluations that the score counts; their means are the scores. All samples
    of a seed were evaluated from the same starts.

    Raises:
        HarnessError: where returns of single episodes are not recorded.
    """
    if "episode_returns" not in results.frame:
        raise HarnessError(f"{results.source}: no returns of single episodes (column episode_returns)")
    frame = results.finished_frame
    own = frame[(frame["dataset"] == candidates.dataset) & frame["algorithm"].isin(candidates.names)]
    trials = own.groupby(["algorithm", "seed"], observed=True)
    if score == "best":
        counted = own.loc[trials[results.score_column(candidates.dataset)].idxmax()]
    else:
        counted = trials.tail(1 if score == "last" else FINAL_EVALUATIONS)
    if (counted["episode_returns"].list.len().fillna(0) == 0).any():
        raise HarnessError(
            f"{results.source}: some evaluations on {candidates.dataset} have no returns of single episodes"
        )
    found = {
        trial: np.concatenate([np.asarray(episodes, np.float64) for episodes in rows["episode_returns"]])
        for trial, rows in counted.groupby(["algorithm", "seed"], observed=True)
    }
    slope, intercept = results.normalizer(candidates.dataset)
    returns = np.array([[found[name, seed] for name in candidates.names] for seed in candidates.seeds])
    return slope * returns + intercept
