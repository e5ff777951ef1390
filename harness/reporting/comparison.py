"""Whether two sets of results differ: a t-test and a bootstrap, each with Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.measures import decimals
from harness.reporting.names import same_algorithms
from harness.reporting.results import Results
from harness.reporting.significance import LEVEL, Samples, Significance, of_independent, of_pairs
from harness.reporting.statistics import holm
from harness.scores import Score
from harness.validation import nearest

FEWEST_SEEDS = 3
"""With two a test finds next to nothing, however large the difference."""

Expectation = Literal["same", "better"]
Verdict = Literal["same", "better", "worse", "unknown"]


@dataclass(frozen=True)
class Difference:
    """B against A in one cell, or over all datasets.

    Attributes:
        dataset: None for the mean over all datasets.
        difference: mean of B minus mean of A; NaN where a score is.
        interval: the 95 % bootstrap interval of the difference, uncorrected.
        t_test, bootstrap: p-values, corrected by Holm.
        verdict: `better` or `worse` where both p-values are below 0.05 and the difference, rounded as it is
            shown, is not 0; `unknown` where nothing can be said.
        decimals: as the means and their difference are shown.
        reason: of `unknown`.
    """

    algorithm: str
    dataset: str | None
    mean_a: float
    mean_b: float
    difference: float
    interval: tuple[float, float]
    t_test: float
    bootstrap: float
    verdict: Verdict
    decimals: int
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    a: Results
    b: Results
    score: Score
    paired: bool
    """Whether a seed stands for the same random numbers in A and B and on all datasets."""
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    lacking: tuple[str, ...]
    """Why B does not cover all of A: what of A it lacks, or has after other numbers of steps."""

    def fails(self, expectation: Expectation) -> list[str]:
        """Why B is not the same as (or better than) A; nothing where it is.

        It is the same where it is so in every cell, also where their mean means nothing, as that of returns.
        """
        unknown = list(self.lacking)
        unknown += [
            f"{_name(one)}: {one.reason}"
            for one in self.differences
            if one.verdict == "unknown" and (one.dataset is not None or expectation == "better")
        ]
        if expectation == "same":
            return unknown + [
                f"{_name(one)}: {one.verdict}"
                for one in self.differences
                if one.verdict in ("better", "worse")
            ]
        worse = [f"{_name(one)}: worse" for one in self.differences if one.verdict == "worse"]
        overall = [one for one in self.differences if one.dataset is None or self._is_alone(one)]
        return unknown + worse + [f"{_name(one)}: not better" for one in overall if one.verdict == "same"]

    def _is_alone(self, one: Difference) -> bool:
        return sum(other.algorithm == one.algorithm for other in self.differences) == 1


def compare(
    a: Results,
    b: Results,
    score: Score = "final",
    algorithms: Sequence[str] | None = None,
    paired: bool | None = None,
) -> Comparison:
    """B against A on every algorithm and dataset that both have, and over the datasets.

    Args:
        algorithms: compare these alone, by A's names.
        paired: whether to pair the trials by seed; by default where both are runs of this package with the
            same seeds and starts of episodes, for then a seed stands for the same random numbers. A cell
            that lacks a seed is not tested, and does not keep the others from being paired.

    Raises:
        HarnessError: when they share no algorithm or no dataset, or are to be paired and differ in seeds.
    """
    pairs = _selected(_shared_algorithms(a, b), algorithms)
    datasets = [name for name in a.datasets if name in b.datasets]
    if not datasets:
        raise HarnessError(
            f"{a.source} and {b.source} have no dataset in common: {listed(a.datasets, 5)} against "
            f"{listed(b.datasets, 5)}"
        )
    ours, theirs = a.seed_scores(score), b.seed_scores(score)
    nothing = pd.Series(dtype=float)
    both = [
        (ours.get((name_a, dataset), nothing), theirs.get((name_b, dataset), nothing))
        for name_a, name_b in pairs.items()
        for dataset in datasets
    ]
    seeds = {
        tuple(scores.index)
        for cell in both
        if [len(scores) for scores in cell] == [a.expected_seeds, b.expected_seeds]  # no other is tested
        for scores in cell
    }
    if paired and len(seeds) > 1:
        raise HarnessError(f"--paired: {a.source} and {b.source} have not the same seeds everywhere")
    if paired is None:
        paired = len(seeds) == 1 and _same_starts(a, b)
    test = of_pairs if paired else of_independent
    cells: list[Difference] = []
    overall: list[Difference] = []
    for name_a, name_b in pairs.items():
        of_a = [ours.get((name_a, dataset), nothing).to_numpy() for dataset in datasets]
        of_b = [theirs.get((name_b, dataset), nothing).to_numpy() for dataset in datasets]
        of_cells = [
            _difference(
                a, name_a, dataset, [seeds_a], [seeds_b], _obstacle(a, b, dataset, seeds_a, seeds_b), test
            )
            for dataset, seeds_a, seeds_b in zip(datasets, of_a, of_b, strict=True)
        ]
        cells += of_cells
        if len(datasets) > 1:
            obstacle = next((f"{one.dataset}: {one.reason}" for one in of_cells if one.reason), "")
            if unequal := _unequal_measures((a, b), datasets):
                of_a, of_b, obstacle = [np.zeros(0)], [np.zeros(0)], unequal
            overall.append(_difference(a, name_a, None, of_a, of_b, obstacle, test))
    differences = (*_judged(cells), *_judged(overall))
    lacking = tuple(_lacking(a, b, pairs if algorithms is None else a.algorithms, datasets))
    return Comparison(a, b, score, paired, differences, tuple(_notes(a, b, pairs)), lacking)


def _difference(
    a: Results,
    algorithm: str,
    dataset: str | None,
    of_a: Samples,
    of_b: Samples,
    obstacle: str,
    test: Callable[[Samples, Samples], Significance],
) -> Difference:
    """Of means over datasets of means over seeds."""
    mean_a, mean_b = (
        float(np.mean([np.mean(seeds) if len(seeds) else np.nan for seeds in of])) for of in (of_a, of_b)
    )
    tested = Significance((math.nan, math.nan), math.nan, math.nan) if obstacle else test(of_a, of_b)
    shown = decimals(a, dataset, (mean_a, mean_b)) if dataset else 1
    verdict: Verdict = "unknown" if obstacle else "same"
    return Difference(algorithm, dataset, mean_a, mean_b, mean_b - mean_a, *tested, verdict, shown, obstacle)


def _judged(differences: Sequence[Difference]) -> list[Difference]:
    """With Holm's correction, and the verdict that follows."""
    t_test = holm([one.t_test for one in differences])
    bootstrap = holm([one.bootstrap for one in differences])
    judged = []
    for one, p_t_test, p_bootstrap in zip(differences, t_test, bootstrap, strict=True):
        verdict = one.verdict
        is_shown = round(one.difference, one.decimals) != 0
        if verdict != "unknown" and is_shown and p_t_test < LEVEL and p_bootstrap < LEVEL:
            verdict = "better" if one.difference > 0 else "worse"
        judged.append(replace(one, t_test=p_t_test, bootstrap=p_bootstrap, verdict=verdict))
    return judged


def _same_starts(a: Results, b: Results) -> bool:
    """Whether a seed's episodes start from the same states in both."""
    if a.experiment is None or b.experiment is None:
        return False
    ours, theirs = a.experiment.evaluation, b.experiment.evaluation
    return (ours.seed, ours.episodes) == (theirs.seed, theirs.episodes)


def _obstacle(
    a: Results, b: Results, dataset: str, seeds_a: NDArray[np.float64], seeds_b: NDArray[np.float64]
) -> str:
    """Why two cells cannot be compared; an empty string where they can."""
    if a.metric[dataset] != b.metric[dataset]:
        return "one has normalized scores, the other returns"
    for side, results, seeds in (("A", a, seeds_a), ("B", b, seeds_b)):
        if len(seeds) < results.expected_seeds:
            return f"{side} has {len(seeds)} of {results.expected_seeds} seeds"
        if len(seeds) < FEWEST_SEEDS:
            return f"{side} has {len(seeds)} seed{'s' * (len(seeds) > 1)}, too few to test anything"
        if np.isnan(seeds).any():
            return f"{side} has NaN scores"
    return ""


def _lacking(a: Results, b: Results, compared: Iterable[str], datasets: Sequence[str]) -> Iterator[str]:
    absent = [name for name in a.algorithms if name not in compared]
    absent += [name for name in a.datasets if name not in datasets]
    if absent:
        yield f"B has no results of {listed(absent)}"
    steps = [{results.final_steps[name] for name in datasets} for results in (a, b)]
    if steps[0] != steps[1]:
        ours, theirs = (listed(f"{count:,}" for count in sorted(counts)) for counts in steps)
        yield f"A is of {ours} gradient steps, B of {theirs}"


def _unequal_measures(both: Sequence[Results], datasets: Sequence[str]) -> str:
    returns = any(results.metric[name] == "return_mean" for results in both for name in datasets)
    return "returns have no scale common to all datasets" if returns else ""


def _shared_algorithms(a: Results, b: Results) -> dict[str, str]:
    """A's name to B's; two sets of one algorithm each are compared whatever these are called."""
    if len(a.algorithms) == len(b.algorithms) == 1:
        return {a.algorithms[0]: b.algorithms[0]}
    shared = same_algorithms(a.algorithms, b.algorithms)
    if not shared:
        raise HarnessError(
            f"{a.source} and {b.source} have no algorithm in common: {listed(a.algorithms, 5)} against "
            f"{listed(b.algorithms, 5)}"
        )
    return shared


def _selected(pairs: dict[str, str], algorithms: Sequence[str] | None) -> dict[str, str]:
    for name in algorithms or ():
        if name not in pairs:
            raise HarnessError(f"algorithm {name} is not in both results{nearest(name, pairs)}")
    return {name: pairs[name] for name in algorithms or pairs}


def _notes(a: Results, b: Results, pairs: dict[str, str]) -> list[str]:
    notes = [
        f"{ours} of A is compared with {theirs} of B." for ours, theirs in pairs.items() if ours != theirs
    ]
    for side, these, others in (("A", a, b), ("B", b, a)):
        compared = pairs if side == "A" else pairs.values()
        alone = [name for name in these.algorithms if name not in compared]
        alone += [name for name in these.datasets if name not in others.datasets]
        if alone:
            notes.append(f"Only in {side}, not compared: {listed(alone)}.")
    if captions.protocol(a) != captions.protocol(b):
        notes.append(f"The protocols differ: A {captions.protocol(a)[:-1]}; B {captions.protocol(b)}")
    return notes


def _name(one: Difference) -> str:
    return f"{one.algorithm} on {one.dataset or 'all datasets'}"
