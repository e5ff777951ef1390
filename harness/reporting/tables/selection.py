"""Tables of a search: what rules select, how good that is, and which hyper-parameters matter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.catalogue import OFFLINE_RULES, Score
from harness.reporting.names import hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.candidates import Candidates, all_candidates, over_datasets
from harness.reporting.selection.importance import importances
from harness.reporting.selection.online import bootstrap_interval, performance_over_datasets
from harness.reporting.selection.rules import Selected, merits, rank_correlation, ranked, regret_at
from harness.reporting.tables.model import Cell, Column, Kind, Row, Table

REGRETS = (1, 3, 5)
"""The k of regret@k."""
ALL_DATASETS = "All datasets"


def online_performance_table(results: Results, score: Score = "final") -> Table:
    """Return the expected score of the best of k deployed policies, a row for each search and dataset.

    Raises:
        HarnessError: when nothing was searched.
    """
    results = results.ungrouped
    candidates = all_candidates(results, score)
    most = max(len(each.names) for each in candidates)
    budgets = sorted({min(2**power, most) for power in range(most.bit_length() + 1)})
    rows = [
        _performance_row(
            f"{results.dataset_title(each.dataset)}, {results.title(each.search)}",
            f"{each.dataset} {each.search}",
            each.scores[..., np.newaxis],
            budgets,
            results.decimals(each.dataset, each.means.tolist()),
        )
        for each in candidates
    ]
    rows += [
        _performance_row(f"Mean, {results.title(search)}", f"mean {search}", scores, budgets, 1, Kind.TOTAL)
        for search, scores in over_datasets(results, candidates).items()
    ]
    return Table(
        name="online-performance",
        caption=f"Expected online performance: the expected {captions.measure(results).lower()} of the best "
        "of k policies that are drawn uniformly with replacement from the samples of a search and deployed "
        f"(arXiv 2110.04156), with 95 % bootstrap intervals over samples and seeds. "
        f"{captions.of_sample(results, score)}",
        header="Dataset, search",
        columns=tuple(Column(f"k_{k}", f"k = {k}") for k in budgets),
        rows=tuple(rows),
        notes=(*_unfinished(candidates), *captions.notes(results)),
        details={"score": score},
    )


def offline_selection_table(results: Results, score: Score = "final") -> Table:
    """Return how well each rule that needs no environment ranks the samples of each search.

    Raises:
        HarnessError: when nothing was searched, or there are no estimates.
    """
    results = results.ungrouped
    candidates = all_candidates(results, score)
    rows = [_ranking_row(results, each, rule) for each in candidates for rule in OFFLINE_RULES]
    return Table(
        name="offline-selection",
        caption="Selection of hyper-parameters from data alone, by the value that fitted Q evaluation (fqe) "
        "estimates and by its TD error (td_error, the smaller the better), means over seeds: Spearman's rank "
        "correlation with the scores; regret@k, the best score minus the best among the first k samples; the "
        "score of the sample that is selected, of the mean sample and of the best in hindsight. "
        f"{captions.measure(results)}. {captions.of_sample(results, score)}",
        header="Dataset, search, rule",
        columns=(
            Column("rank_correlation", "Rank correlation"),
            *(Column(f"regret_{k}", f"Regret@{k}") for k in REGRETS),
            Column("selected", "Selected"),
            Column("mean", "Mean"),
            Column("best", "Best"),
        ),
        rows=tuple(rows),
        notes=(*_unfinished(candidates), *_diverged(results, candidates), *captions.notes(results)),
        details={"score": score},
    )


def importance_table(results: Results, score: Score = "final") -> Table:
    """Return the share of each hyper-parameter in the variance that they explain one by one.

    Raises:
        HarnessError: when nothing was searched, too few samples are finished, or Optuna is not installed.
    """
    results = results.ungrouped
    candidates = all_candidates(results, score)
    datasets = list(dict.fromkeys(each.dataset for each in candidates))
    shares: dict[tuple[str, str], dict[str, float]] = {}
    for each in candidates:
        for path, share in importances(results, each).items():
            shares.setdefault((each.search, path), {})[each.dataset] = share
    rows = tuple(
        Row(
            f"{results.title(search)}, {hyperparameter_label(path)}",
            tuple(Cell(by_dataset.get(dataset), decimals=2) for dataset in datasets),
            key=f"{search} {path}",
        )
        for (search, path), by_dataset in shares.items()
    )
    return Table(
        name="importance",
        caption="Importance of hyper-parameters by fANOVA (Hutter et al. 2014) with Optuna: the share of "
        "each in the variance of the scores that they explain one by one; the shares of a search on a "
        f"dataset add up to 1, without what they explain only together. {captions.of_sample(results, score)}",
        header="Search, hyper-parameter",
        columns=tuple(Column(dataset, results.title(dataset)) for dataset in datasets),
        rows=rows,
        notes=(*_unfinished(candidates), *captions.notes(results)),
        details={"score": score},
    )


def selected_table(results: Results, selected: Sequence[Selected], rule: str, score: Score) -> Table:
    """Return a row for each search and dataset: what was selected, its score, and the best score."""
    how = "which uses the environment"
    if rule in OFFLINE_RULES:
        how = "from data alone; over all datasets by the mean of ranks"
    return Table(
        name="selected",
        caption=f"Samples selected by {rule}, {how}. {captions.measure(results)}: mean over "
        f"{captions.seeds(results)} of {captions.of_trial(results, score)}.",
        header="Dataset, search",
        columns=(
            Column("selected", "Selected"),
            Column("score", "Score"),
            Column("best", "Best in hindsight"),
            Column("samples", "Samples"),
        ),
        rows=tuple(_selected_row(results, each) for each in selected),
        notes=tuple(captions.notes(results)),
        results=results.name,
        details={"by": rule, "score": score},
    )


def _performance_row(
    label: str, key: str, scores: NDArray[np.float64], budgets: list[int], shown: int, kind: Kind = Kind.DATA
) -> Row:
    curve, (low, high) = performance_over_datasets(scores), bootstrap_interval(scores)
    cells = (
        Cell(float(curve[k - 1]), interval=(float(low[k - 1]), float(high[k - 1])), decimals=shown)
        if k <= len(curve)
        else Cell()
        for k in budgets
    )
    return Row(label, tuple(cells), kind, key=key)


def _ranking_row(results: Results, each: Candidates, rule: str) -> Row:
    merit, truth = merits(results, each, rule), each.means
    shown = results.decimals(each.dataset, truth.tolist())
    regrets = (
        Cell(regret_at(k, merit, truth), decimals=shown) if k <= len(truth) else Cell() for k in REGRETS
    )
    return Row(
        f"{results.dataset_title(each.dataset)}, {results.title(each.search)}, {rule}",
        (
            Cell(rank_correlation(merit, truth), decimals=2, signed=True),
            *regrets,
            Cell(float(truth[ranked(merit)[0]]), decimals=shown),
            Cell(float(truth.mean()), decimals=shown),
            Cell(float(truth.max()), decimals=shown),
        ),
        key=f"{each.dataset} {each.search} {rule}",
    )


def _unfinished(candidates: list[Candidates]) -> Iterator[str]:
    for each in candidates:
        if len(each.names) < each.samples:
            yield (
                f"{len(each.names)} of {each.samples} samples of {each.search} are finished with every seed "
                f"on {each.dataset}; only these are counted."
            )


def _diverged(results: Results, candidates: list[Candidates]) -> Iterator[str]:
    try:
        count = sum(int(np.isnan(merits(results, each, "fqe")).sum()) for each in candidates)
    except HarnessError:
        return
    if count:
        yield f"The critic of {count} samples diverged with a seed; they are ranked last."


def _selected_row(results: Results, each: Selected) -> Row:
    shown = 1 if each.dataset is None else results.decimals(each.dataset, (each.score, each.best))
    where = results.title(each.dataset) if each.dataset else ALL_DATASETS
    selected = captions.listed((_described(results, each.search, name) for name in each.selected), 10)
    return Row(
        f"{where}, {results.title(each.search)}",
        (
            Cell(text=selected),
            *(Cell(one, decimals=shown) if math.isfinite(one) else Cell() for one in (each.score, each.best)),
            Cell(each.samples, decimals=0),
        ),
        key=f"{each.dataset or ALL_DATASETS} {each.search}",
    )


def _described(results: Results, search: str, sample: str) -> str:
    """Return `td3_bc@s07 (alpha=1.73)`, because the name of a drawn sample does not show its values."""
    searched = results.searches[search]
    if not searched.drawn:
        return sample
    values = (
        f"{path}={value:.3g}" if isinstance(value, float) else f"{path}={value}"
        for path, value in searched.samples[sample].items()
    )
    return f"{sample} ({', '.join(values)})"
