"""One column for each search: a rule chooses the sample that represents it."""

from __future__ import annotations

import itertools
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.reporting.catalogue import OFFLINE_RULES, Score
from harness.reporting.names import hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.selection.rules import merits, ranked
from harness.scores import TRIAL
from harness.search import Search


@dataclass(frozen=True)
class Choice:
    """The samples that represent a search, by dataset."""

    label: str
    """What the column adds to the algorithm's name, such as `best of 32`."""
    samples: Mapping[str, str]
    note: str
    """How they were chosen and with what bias, and their values."""


def show_chosen(results: Results, rule: str, score: Score) -> Results:
    """Return the results with one column for each search that was drawn from ranges, as `--select` does.

    An offline rule gives two columns: the sample that it selects on each dataset, and the best in hindsight.
    Grids keep a column for each variant. `every_sample` of the returned results has all samples.

    Raises:
        HarnessError: for an offline rule, if no search was drawn from ranges, or a sample has no estimate.
    """
    searches = [search for search in results.searches.values() if search.drawn]
    if not searches and rule in OFFLINE_RULES:
        raise HarnessError(
            f"{results.source}: --select {rule} shows searches whose values were drawn from ranges; there "
            f"is none. Select among listed values with: harness select {shlex.quote(results.source)} --by "
            f"{rule}"
        )
    if rule == "all" or not searches:
        return results
    columns: dict[str, list[str]] = {name: [name] for name in results.algorithms}
    shown_as = {(name, on): [name] for name, on in itertools.product(results.algorithms, results.datasets)}
    notes = {}
    for search in searches:
        columns |= {sample: [] for sample in search.samples}
        shown_as |= {cell: [] for cell in itertools.product(search.samples, results.datasets)}
        for each in (rule, "best-per-dataset") if rule in OFFLINE_RULES else (rule,):
            choice = choose(results, search, each, score)
            column = f"{search.name}: {choice.label}"
            notes[column] = choice.note
            columns[next(iter(search.samples))].append(column)
            for dataset, sample in choice.samples.items():
                shown_as[sample, dataset].append(column)
    requested, failures = [], dict(results.failures)
    for trial in results.requested:
        for column in shown_as[trial.algorithm, trial.dataset.name]:
            shown = trial.model_copy(update={"algorithm": column})
            if trial.key in failures:
                failures[shown.key] = failures[trial.key]
            requested.append(shown)
    return replace(
        results,
        frame=_renamed(results.frame, shown_as, list(itertools.chain.from_iterable(columns.values()))),
        requested=requested,
        failures=failures,
        choices=notes,
        every_sample=results,
    )


def choose(results: Results, search: Search, rule: str, score: Score) -> Choice:
    """Choose the sample that represents a search on each dataset.

    `best` has the highest mean over datasets of means over seeds; where a dataset has no normalized scores,
    the highest mean of ranks. `best-per-dataset` has the highest mean over seeds there. Both choose in
    hindsight, among the samples with the most finished trials. An offline rule ranks it first on each
    dataset.

    Raises:
        HarnessError: for an offline rule, where a sample has no estimate.
    """
    tried = len(search.samples)
    chosen = dict.fromkeys(results.datasets, next(iter(search.samples)))
    if rule in OFFLINE_RULES:
        for each in all_candidates(results, score):
            if each.search == search.name:
                chosen[each.dataset] = each.names[ranked(merits(results, each, rule))[0]]
        label = f"{OFFLINE_RULES[rule]} of {tried}"
        how = f"of {tried} samples the one that {OFFLINE_RULES[rule]} selects on each dataset, without the"
        return Choice(label, chosen, f"{how} environment: {_values(search, chosen)}.")
    label = f"best of {tried}{' per dataset' * (rule == 'best-per-dataset')}"
    means = _means(results, search, score)
    if means.empty:
        return Choice(label, chosen, "no sample has finished yet.")
    among = f"the {len(means)} of {tried} samples that finished" if len(means) < tried else f"{tried} samples"
    if rule == "best-per-dataset":
        chosen |= {str(dataset): str(means[dataset].idxmax()) for dataset in means}
        highest = "mean score on each dataset"
    else:
        comparable = all(dataset in results.normalized for dataset in means)
        over_datasets = (means if comparable else means.rank()).mean(axis=1)
        chosen = dict.fromkeys(results.datasets, str(over_datasets.idxmax()))
        measure = "mean normalized score" if comparable else "mean rank"
        highest = f"{measure} over datasets" if len(means.columns) > 1 else "mean score"
    note = (
        f"of {among} the one with the highest {highest}, chosen in hindsight by the scores shown here, which "
        f"makes them optimistic: {_values(search, chosen)}."
    )
    return Choice(label, chosen, note)


def _means(results: Results, search: Search, score: Score) -> pd.DataFrame:
    """Return means over seeds, [samples, datasets], of the samples with the most finished trials.

    A mean of scores that are NaN is below all others.
    """
    own = {cell: seeds for cell, seeds in results.score_arrays(score).items() if cell[0] in search.samples}
    counts: Counter[str] = Counter()
    for (sample, _), seeds in own.items():
        counts[sample] += len(seeds)
    most = max(counts.values(), default=0)
    means: dict[str, dict[str, float]] = {dataset: {} for dataset in results.datasets}
    for (sample, dataset), seeds in own.items():
        if counts[sample] == most:
            means[dataset][sample] = float(np.nan_to_num(seeds.mean(), nan=-np.inf))
    complete = [sample for sample in search.samples if 0 < counts[sample] == most]
    return pd.DataFrame(means, index=complete).dropna(axis="columns", how="all")


def _values(search: Search, chosen: Mapping[str, str]) -> str:
    """Return the values of the chosen samples as text, such as `α=0.31, τ=0.005 (s07)`."""
    parts = []
    for sample in dict.fromkeys(chosen.values()):
        pairs = (f"{hyperparameter_label(path)}={value}" for path, value in search.samples[sample].items())
        datasets = [dataset for dataset in chosen if chosen[dataset] == sample]
        where = f" on {', '.join(datasets)}" if len(datasets) < len(chosen) else ""
        parts.append(f"{', '.join(pairs)} ({search.mark(sample)}){where}")
    return "; ".join(parts)


def _renamed(
    frame: pd.DataFrame, shown_as: Mapping[tuple[str, str], list[str]], order: list[str]
) -> pd.DataFrame:
    """Return each row once for every column that shows it, with the column as its algorithm."""
    columns = [shown_as[cell] for cell in zip(frame["algorithm"], frame["dataset"], strict=True)]
    rows = frame.loc[frame.index.repeat([len(each) for each in columns])].reset_index(drop=True)
    names = pd.Categorical(list(itertools.chain.from_iterable(columns)), categories=order)
    return rows.assign(algorithm=names).sort_values([*TRIAL, "step"], kind="stable", ignore_index=True)
