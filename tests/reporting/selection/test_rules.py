from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.reporting.selection.candidates import all_candidates, episode_returns, over_datasets
from harness.reporting.selection.rules import merits, rank_correlation, ranked, regret_at, select
from tests.reporting.selection import make

BEST, WORST = "td3_bc@alpha=8.0", "td3_bc@alpha=0.5"
TRUTH = np.array([10.0, 40.0, 30.0, 20.0])


def test_candidates_are_the_samples_with_every_seed(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    medium, expert = all_candidates(results, "final")
    assert (medium.search, medium.dataset, expert.dataset) == ("td3_bc", *make.DATASETS)
    assert medium.names[-1] == BEST
    assert medium.scores.shape == (5, 2)
    lacks = results.frame[(results.frame["algorithm"] != BEST) | (results.frame["seed"] != 1)]
    fewer, _ = all_candidates(replace(results, frame=lacks.reset_index(drop=True)), "final")
    assert BEST not in fewer.names
    assert fewer.samples == 5


def test_episode_returns_as_scores_have_the_scores_as_means(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    candidates = all_candidates(results, "final")[0]
    for score in ("final", "last"):
        own = all_candidates(results, score)[0]
        scores = episode_returns(results, candidates, score)
        np.testing.assert_allclose(scores.mean(axis=2).T, own.scores, atol=1e-6)


def test_episode_returns_that_some_evaluations_lack_raise_one_line(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    candidates = all_candidates(results, "final")[0]
    frame = results.frame.copy()
    frame.loc[frame["algorithm"] == BEST, "episode_returns"] = pd.NA
    with pytest.raises(
        HarnessError, match="some evaluations on pendulum-medium-v0 have no returns of single"
    ):
        episode_returns(replace(results, frame=frame), candidates, "final")


def test_over_datasets_stacks_the_scores_of_shared_samples(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    scores = over_datasets(results, all_candidates(results, "final"))["td3_bc"]
    assert scores.shape == (5, 2, 2)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("final", [BEST, BEST, BEST]), ("td_error", [BEST, BEST, BEST]), ("fqe", [BEST, WORST, None])],
)
def test_select_names_the_sample_that_the_rule_puts_first(
    tmp_path: Path, rule: str, expected: list[str | None]
) -> None:
    results = make.results(tmp_path)
    selected = select(results, rule, "final")
    assert [each.dataset for each in selected] == [*make.DATASETS, None]
    for each, name in zip(selected, expected, strict=True):
        assert name is None or each.selected == (name,)
        assert each.score <= each.best


def test_select_takes_diverged_estimates_last(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    estimates = results.estimates.copy()
    estimates.loc[estimates["algorithm"] == BEST, "td_error"] = np.nan
    results = replace(results, estimates=estimates)
    medium = all_candidates(results, "final")[0]
    assert np.isnan(merits(results, medium, "td_error")[-1])
    first, *_ = select(results, "td_error", "final", top=5)
    assert first.selected[-1] == BEST
    assert first.selected[0] == "td3_bc@alpha=4.0"


def test_select_of_more_than_there_are_is_rejected(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    with pytest.raises(HarnessError, match="--top 6: td3_bc has 5 finished samples on pendulum-medium-v0"):
        select(results, "final", "final", top=6)


def test_estimates_that_are_missing_are_named_with_what_makes_them(tmp_path: Path) -> None:
    results = make.results(tmp_path / "none", make.experiment(selection=None), with_estimates=False)
    with pytest.raises(HarnessError, match="no fqe estimates; add `selection:"):
        select(results, "fqe", "final")
    results = make.results(tmp_path / "some")
    some = replace(results, estimates=results.estimates.iloc[5:])
    with pytest.raises(HarnessError, match=r"policies of td3_bc on .* have no fqe estimate; .* resume"):
        select(some, "fqe", "final")


def test_results_without_a_search_are_rejected(tmp_path: Path) -> None:
    results = make.results(tmp_path, make.experiment(sweep={}, algorithms={"td3_bc": {}}))
    with pytest.raises(HarnessError, match="no hyper-parameter was searched"):
        all_candidates(results, "final")


def test_rank_correlation_of_any_increasing_function_is_one() -> None:
    assert rank_correlation(np.exp(TRUTH / 10), TRUTH) == pytest.approx(1)
    assert rank_correlation(-TRUTH, TRUTH) == pytest.approx(-1)


def test_rank_correlation_leaves_out_what_is_not_finite() -> None:
    assert rank_correlation(np.array([1.0, math.nan, 3.0, 2.0]), TRUTH) == pytest.approx(1)
    assert math.isnan(rank_correlation(np.full(4, math.nan), TRUTH))
    assert math.isnan(rank_correlation(np.ones(4), TRUTH))


def test_ranked_puts_nan_last() -> None:
    assert ranked(np.array([1.0, math.nan, 3.0])).tolist() == [2, 0, 1]


@pytest.mark.parametrize(("k", "regret"), [(1, 30), (2, 10), (3, 0), (4, 0)])
def test_regret_at_k_is_what_the_best_of_the_first_k_lacks(k: int, regret: float) -> None:
    assert regret_at(k, np.array([9.0, 2.0, 5.0, 1.0]), TRUTH) == regret
