"""One column for each search: a rule chooses the sample that represents it."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.reporting.catalogue import OFFLINE_RULES
from harness.reporting.names import RULE_LABELS, hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.selection.rules import merits, ranked
from harness.scores import Score
from harness.search import Search


@dataclass(frozen=True)
class Choice:
    """The sample of a search that represents it on each dataset.

    Attributes:
        label: what the column adds to the algorithm's name, such as `best of 32`.
        samples: by dataset, the name of the chosen sample.
        how: the part of the column's note that states how the sample was chosen, and with what bias.
    """

    label: str
    samples: Mapping[str, str]
    how: str


Rule = Callable[[Results, Search, Score], Choice]


def best(results: Results, search: Search, score: Score) -> Choice:
    """Choose the sample with the highest mean over datasets, in hindsight.

    The score of a sample on a dataset is its mean over seeds. Over datasets it is their mean if all have
    normalized scores, else the mean of the sample's ranks. Samples with fewer finished trials than others
    are left out.
    """
    means = _means(results, search, score)
    if means.empty:
        return Choice(_best_of(search), dict.fromkeys(results.datasets, next(iter(search.samples))), _NONE)
    comparable = {results.metric[str(dataset)] for dataset in means} == {"normalized_score"}
    over_datasets = (means if comparable else means.rank()).mean(axis=1)
    chosen = dict.fromkeys(results.datasets, str(over_datasets.idxmax()))
    measure = "mean normalized score" if comparable else "mean rank"
    where = f"{measure} over datasets" if len(means.columns) > 1 else "mean score"
    return Choice(
        _best_of(search), chosen, f"{_among(means, search)} the one with the highest {where}, {_HINDSIGHT}"
    )


def best_per_dataset(results: Results, search: Search, score: Score) -> Choice:
    """Choose for each dataset the sample with the highest mean over seeds there, in hindsight."""
    means = _means(results, search, score)
    chosen = dict.fromkeys(results.datasets, next(iter(search.samples)))
    chosen |= {str(dataset): str(means[dataset].idxmax()) for dataset in means}
    how = f"{_among(means, search)} the one with the highest mean score on each dataset, {_HINDSIGHT}"
    return Choice(f"{_best_of(search)} per dataset", chosen, how if len(means) else _NONE)


def by_estimate(results: Results, search: Search, score: Score, *, rule: str) -> Choice:
    """Choose for each dataset the sample that an offline rule ranks first.

    Raises:
        HarnessError: where a sample has no estimate.
    """
    candidates = [each for each in all_candidates(results, score) if each.search == search.name]
    chosen = dict.fromkeys(results.datasets, next(iter(search.samples)))
    chosen |= {each.dataset: each.names[ranked(merits(results, each, rule))[0]] for each in candidates}
    how = f"of {len(search.samples)} samples the one that {RULE_LABELS[rule]} selects on each dataset"
    label = f"{RULE_LABELS[rule]} of {len(search.samples)}"
    return Choice(label, chosen, f"{how}, without the environment")


def select(results: Results, choice: str, score: Score) -> Results:
    """Return the results with the samples of searches that `--select` chooses.

    An offline rule gives two columns for each search: the sample that it selects on each dataset, and the
    best in hindsight.

    Args:
        results: with all samples.
        choice: a key of `SAMPLE_RULES`.
        score: the score by which the best is chosen.

    Raises:
        HarnessError: for an offline rule, if no search was drawn from ranges, or a sample has no estimate.
    """
    if choice == "all":
        return results
    if choice not in OFFLINE_RULES:
        return grouped(results, best if choice == "best" else best_per_dataset, score=score)
    if not any(search.drawn for search in results.searches.values()):
        raise HarnessError(
            f"{results.source}: --select {choice} shows searches whose values were drawn from ranges; there "
            f"is none. Select among listed values with: harness select {shlex.quote(results.source)} --by "
            f"{choice}"
        )
    return grouped(results, partial(by_estimate, rule=choice), best_per_dataset, score=score)


def grouped(results: Results, *rules: Rule, score: Score = "final") -> Results:
    """Return the results with a column for each search whose samples were drawn from ranges, and each rule.

    A note states which sample a column shows. Grids keep a column for each variant. `every_sample` of the
    returned results has all samples.

    Args:
        results: with all samples.
        rules: by default only `best`.
        score: the score by which the rules choose.
    """
    searches = [search for search in results.searches.values() if search.drawn]
    if not searches:
        return results
    columns: dict[str, list[str]] = {}
    shown_as: dict[tuple[str, str], list[str]] = {}
    notes = {}
    for search, rule in itertools.product(searches, rules or (best,)):
        choice = rule(results, search, score)
        column = f"{search.name}: {choice.label}"
        notes[column] = _note(search, choice)
        for sample in search.samples:
            columns.setdefault(sample, []).append(column)
        for dataset, sample in choice.samples.items():
            shown_as.setdefault((sample, dataset), []).append(column)
    requested, failures = [], dict(results.failures)
    for trial in results.requested:
        name = trial.algorithm
        for column in shown_as.get((name, trial.dataset.name), ()) if name in columns else (name,):
            shown = trial.model_copy(update={"algorithm": column})
            if trial.key in failures:
                failures[shown.key] = failures[trial.key]
            requested.append(shown)
    order = [column for name in results.algorithms for column in columns.get(name, [name])]
    frame = results.frame
    pairs = zip(frame["algorithm"].astype(str), frame["dataset"].astype(str), strict=True)
    shown_in = [shown_as.get(pair, ()) if pair[0] in columns else (pair[0],) for pair in pairs]
    return replace(
        results,
        frame=_repeated(frame, shown_in, list(dict.fromkeys(order))),
        requested=requested,
        failures=failures,
        choices=notes,
        every_sample=results,
    )


def values_in_words(search: Search, sample: str) -> str:
    """Return the values of a sample as text, such as `α=0.31, τ=0.005 (s07)`."""
    values = ", ".join(
        f"{hyperparameter_label(path)}={value}" for path, value in search.samples[sample].items()
    )
    return f"{values} ({search.mark(sample)})"


_NONE = "no sample has finished yet"
_HINDSIGHT = "chosen in hindsight by the scores shown here, which makes them optimistic"


def _best_of(search: Search) -> str:
    return f"best of {len(search.samples)}"


def _among(means: pd.DataFrame, search: Search) -> str:
    finished, tried = len(means), len(search.samples)
    return (
        f"of {tried} samples" if finished == tried else f"of the {finished} of {tried} samples that finished"
    )


def _means(results: Results, search: Search, score: Score) -> pd.DataFrame:
    """Return means over seeds, [samples, datasets], of the samples with the most finished trials.

    A mean of scores that are NaN is below all others.
    """
    of_seeds = results.score_arrays(score)
    found = {
        sample: {
            dataset: float(np.nan_to_num(of_seeds[sample, dataset].mean(), nan=-np.inf))
            for dataset in results.datasets
            if (sample, dataset) in of_seeds
        }
        for sample in search.samples
    }
    counts = {
        sample: sum(len(of_seeds[sample, dataset]) for dataset in means) for sample, means in found.items()
    }
    most = max(counts.values())
    complete = {sample: means for sample, means in found.items() if 0 < counts[sample] == most}
    return (
        pd.DataFrame.from_dict(complete, orient="index")
        .reindex(columns=results.datasets)
        .dropna(axis="columns", how="all")
    )


def _repeated(frame: pd.DataFrame, columns: Sequence[Sequence[str]], order: Sequence[str]) -> pd.DataFrame:
    """Return each row once for every column that shows it, with the column as its algorithm."""
    rows = frame.loc[frame.index.repeat([len(each) for each in columns])].reset_index(drop=True)
    names = [name for each in columns for name in each]
    rows = rows.assign(algorithm=pd.Categorical(names, categories=list(order)))
    return rows.sort_values(["algorithm", "dataset", "seed", "step"], kind="stable", ignore_index=True)


def _note(search: Search, choice: Choice) -> str:
    if choice.how == _NONE:
        return f"{_NONE}."
    by_sample: dict[str, list[str]] = {}
    for dataset, sample in choice.samples.items():
        by_sample.setdefault(sample, []).append(dataset)
    chosen = "; ".join(
        values_in_words(search, sample) + (f" on {', '.join(datasets)}" if len(by_sample) > 1 else "")
        for sample, datasets in by_sample.items()
    )
    return f"{choice.how}: {chosen}."
