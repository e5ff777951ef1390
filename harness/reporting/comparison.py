"""Whether two sets of results differ: Welch's test and a bootstrap, each with Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.names import algorithm_label, canonical_algorithm
from harness.reporting.results import Results
from harness.reporting.scores import Score
from harness.reporting.statistics import CONFIDENCE, RANDOM_SEED, holm
from harness.reporting.tables.model import Cell, Column, Kind, Row, Table
from harness.reporting.tables.scores import seed_scores
from harness.validation import nearest

LEVEL = 1 - CONFIDENCE
RESAMPLES = 10_000

Expectation = Literal["same", "better"]
Verdict = Literal["same", "better", "worse", "unknown"]


@dataclass(frozen=True)
class Difference:
    """B against A in one cell, or over all datasets.

    Attributes:
        dataset: None for the mean over all datasets.
        difference: mean of B minus mean of A; NaN where a score is.
        interval: the 95 % bootstrap interval of the difference, uncorrected.
        welch, bootstrap: p-values, corrected by Holm.
        verdict: `better` or `worse` where both p-values are below 0.05; `unknown` where nothing can be said.
        reason: of `unknown`.
    """

    algorithm: str
    dataset: str | None
    mean_a: float
    mean_b: float
    difference: float
    interval: tuple[float, float]
    welch: float
    bootstrap: float
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    a: Results
    b: Results
    score: Score
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    def fails(self, expectation: Expectation) -> list[str]:
        """Why B is not the same as (or better than) A; nothing where it is."""
        unknown = [f"{_name(one)}: {one.reason}" for one in self.differences if one.verdict == "unknown"]
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
    a: Results, b: Results, score: Score = "final", algorithms: Sequence[str] | None = None
) -> Comparison:
    """B against A on every algorithm and dataset that both have, and over the datasets.

    Args:
        algorithms: compare these alone, by A's names.

    Raises:
        HarnessError: when they share no algorithm or no dataset.
    """
    pairs = _selected(_shared_algorithms(a, b), algorithms)
    datasets = [name for name in a.datasets if name in b.datasets]
    if not datasets:
        raise HarnessError(
            f"{a.source} and {b.source} have no dataset in common: {listed(a.datasets, 5)} against "
            f"{listed(b.datasets, 5)}"
        )
    ours, theirs = seed_scores(a, score), seed_scores(b, score)
    cells: list[Difference] = []
    overall: list[Difference] = []
    for name_a, name_b in pairs.items():
        of_a = [ours.get((name_a, dataset), np.zeros(0)) for dataset in datasets]
        of_b = [theirs.get((name_b, dataset), np.zeros(0)) for dataset in datasets]
        of_cells = [
            _difference(name_a, dataset, [seeds_a], [seeds_b], _obstacle(a, b, dataset, seeds_a, seeds_b))
            for dataset, seeds_a, seeds_b in zip(datasets, of_a, of_b, strict=True)
        ]
        cells += of_cells
        if len(datasets) > 1:
            obstacle = next((f"{one.dataset}: {one.reason}" for one in of_cells if one.reason), "")
            overall.append(_difference(name_a, None, of_a, of_b, obstacle or _unequal_measures(a, datasets)))
    return Comparison(a, b, score, (*_judged(cells), *_judged(overall)), tuple(_notes(a, b, pairs)))


def comparison_table(comparison: Comparison) -> Table:
    a, b = comparison.a, comparison.b
    return Table(
        name="comparison",
        caption=(
            f"B ({b.source}) against A ({a.source}): {captions.measure(a).lower()}, "
            f"{captions.of_trial(b, comparison.score)}; A: {captions.seeds(a)}, B: {captions.seeds(b)}. In "
            f"brackets the 95 % bootstrap interval of the difference ({RESAMPLES:,} resamples of the seeds). "
            "p: of Welch's test and of the bootstrap, corrected by Holm for their number; better or worse: "
            f"both below {LEVEL:.2g}; same: no difference is shown, be it that there is none or that the "
            "seeds are too few."
        ),
        header="Algorithm, dataset",
        columns=(
            Column("a", "A"),
            Column("b", "B"),
            Column("difference", "B - A"),
            Column("p_welch", "p Welch"),
            Column("p_bootstrap", "p bootstrap"),
            Column("verdict", "B is"),
        ),
        rows=tuple(_row(one) for one in comparison.differences),
        notes=comparison.notes,
        details={"score": comparison.score},
    )


def _difference(
    algorithm: str,
    dataset: str | None,
    of_a: Sequence[NDArray[np.float64]],
    of_b: Sequence[NDArray[np.float64]],
    obstacle: str,
) -> Difference:
    """Of means over datasets of means over seeds; each dataset's seeds are a sample of their own."""
    mean_a, mean_b = (
        float(np.mean([np.mean(seeds) if len(seeds) else np.nan for seeds in of])) for of in (of_a, of_b)
    )
    nothing = (math.nan, math.nan)
    if obstacle:
        difference = mean_b - mean_a
        return Difference(
            algorithm, dataset, mean_a, mean_b, difference, nothing, math.nan, math.nan, "unknown", obstacle
        )
    interval, bootstrap = _bootstrap(of_a, of_b)
    welch = _welch(of_a, of_b)
    return Difference(algorithm, dataset, mean_a, mean_b, mean_b - mean_a, interval, welch, bootstrap, "same")


def _welch(of_a: Sequence[NDArray[np.float64]], of_b: Sequence[NDArray[np.float64]]) -> float:
    """Two-sided p-value; over several datasets of the difference of the means over them.

    The variance of the sum over datasets is the sum of theirs; degrees of freedom by Welch and Satterthwaite.
    """
    from scipy import stats

    if len(of_a) == 1 and (np.ptp(of_a[0]) or np.ptp(of_b[0])):
        return float(stats.ttest_ind(of_b[0], of_a[0], equal_var=False).pvalue)
    samples = [*of_a, *of_b]
    variances = np.array([np.var(seeds, ddof=1) / len(seeds) for seeds in samples])
    difference = sum(float(np.mean(seeds)) for seeds in of_b) - sum(float(np.mean(seeds)) for seeds in of_a)
    if variances.sum() == 0:
        return 1.0 if difference == 0 else 0.0
    freedom = variances.sum() ** 2 / np.sum(variances**2 / np.array([len(seeds) - 1 for seeds in samples]))
    return float(2 * stats.t.sf(abs(difference) / math.sqrt(variances.sum()), freedom))


def _bootstrap(
    of_a: Sequence[NDArray[np.float64]], of_b: Sequence[NDArray[np.float64]]
) -> tuple[tuple[float, float], float]:
    """Percentile interval of the difference and its two-sided p-value, each dataset's seeds resampled."""
    generator = np.random.default_rng(RANDOM_SEED)

    def means(of: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        resampled = [generator.choice(seeds, size=(RESAMPLES, len(seeds))).mean(axis=1) for seeds in of]
        return np.asarray(np.mean(resampled, axis=0), dtype=np.float64)

    differences = means(of_b) - means(of_a)
    low, high = np.quantile(differences, [LEVEL / 2, 1 - LEVEL / 2])
    beyond = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return (float(low), float(high)), min(1.0, 2 * float(beyond + 1) / (RESAMPLES + 1))


def _judged(differences: Sequence[Difference]) -> list[Difference]:
    """With Holm's correction, and the verdict that follows."""
    welch = holm([one.welch for one in differences])
    bootstrap = holm([one.bootstrap for one in differences])
    judged = []
    for one, p_welch, p_bootstrap in zip(differences, welch, bootstrap, strict=True):
        verdict = one.verdict
        if verdict != "unknown" and p_welch < LEVEL and p_bootstrap < LEVEL:
            verdict = "better" if one.difference > 0 else "worse"
        judged.append(replace(one, welch=p_welch, bootstrap=p_bootstrap, verdict=verdict))
    return judged


def _obstacle(
    a: Results, b: Results, dataset: str, seeds_a: NDArray[np.float64], seeds_b: NDArray[np.float64]
) -> str:
    """Why two cells cannot be compared; an empty string where they can."""
    if a.metric[dataset] != b.metric[dataset]:
        return "one has normalized scores, the other returns"
    for side, results, seeds in (("A", a, seeds_a), ("B", b, seeds_b)):
        if len(seeds) < results.expected_seeds:
            return f"{side} has {len(seeds)} of {results.expected_seeds} seeds"
        if len(seeds) < 2:
            return f"{side} has a single seed, so nothing can be tested"
        if np.isnan(seeds).any():
            return f"{side} has NaN scores"
    return ""


def _unequal_measures(results: Results, datasets: Sequence[str]) -> str:
    returns = any(results.metric[name] == "return_mean" for name in datasets)
    return "returns of several datasets have no common scale" if returns else ""


def _shared_algorithms(a: Results, b: Results) -> dict[str, str]:
    """A's name to B's; two sets of one algorithm each are compared whatever these are called."""
    if len(a.algorithms) == len(b.algorithms) == 1:
        return {a.algorithms[0]: b.algorithms[0]}
    theirs = {canonical_algorithm(name): name for name in b.algorithms}
    shared = {name: theirs[key] for name in a.algorithms if (key := canonical_algorithm(name)) in theirs}
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


def _row(one: Difference) -> Row:
    interval = one.interval if math.isfinite(one.interval[0]) else None
    label = f"{algorithm_label(one.algorithm)}, {one.dataset or 'all datasets'}"
    cells = (
        Cell(one.mean_a),
        Cell(one.mean_b),
        Cell(one.difference, interval=interval, signed=True),
        _p_value(one.welch),
        _p_value(one.bootstrap),
        Cell(text=one.verdict, mark=one.reason),
    )
    return Row(label, cells, Kind.DATA if one.dataset else Kind.TOTAL)


def _p_value(p: float) -> Cell:
    if math.isnan(p):
        return Cell()
    return Cell(p, decimals=4) if p >= 1e-4 else Cell(p, text="<0.0001")


def _name(one: Difference) -> str:
    return f"{one.algorithm} on {one.dataset or 'all datasets'}"
