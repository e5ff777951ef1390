"""Tests whether results differ: those of two runs, or the variants of one run from a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from harness.algorithms.hyperparameters.td3_bc import TD3BCHyperparameters
from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.captions import listed
from harness.reporting.catalogue import Score
from harness.reporting.comparison.model import Comparison, Difference
from harness.reporting.comparison.testing import Side, compare_pairs
from harness.reporting.names import same_algorithms
from harness.reporting.results import Results
from harness.validation import nearest

__all__ = ["Comparison", "Difference", "compare", "compare_with_baseline", "default_baseline"]


def compare(
    a: Results, b: Results, score: Score = "final", paired: bool | None = None, margin: float | None = None
) -> Comparison:
    """Compare B with A, for every variant on each dataset that both have, and over these datasets.

    Args:
        paired: whether to pair the trials by seed; by default if both are runs of this package with the same
            seeds and starts of episodes, because a seed then means the same random numbers in both. A cell
            that lacks a seed is not tested, and does not prevent the pairing of others.
        margin: in points of normalized score, for the verdict `same`.

    Raises:
        HarnessError: if they share no variant or no dataset, or if `paired` is set and the seeds differ.
    """
    names = _shared_variants(a, b)
    datasets = [name for name in a.datasets if name in b.datasets]
    if not datasets:
        raise HarnessError(
            f"{a.source} and {b.source} have no dataset in common: {listed(a.datasets, 5)} against "
            f"{listed(b.datasets, 5)}"
        )
    pairs = {
        ours: (Side.of("A", a, ours, score), Side.of("B", b, theirs, score)) for ours, theirs in names.items()
    }
    return replace(
        compare_pairs(pairs, datasets, score, paired, margin),
        about=f"B ({b.source}) against A ({a.source}): {captions.measure(a).lower()}, "
        f"{captions.of_trial(b, score)}; A: {captions.seeds(a)}, B: {captions.seeds(b)}.",
        notes=tuple(_notes(a, b, names)),
        lacking=tuple(_lacking(a, b, names, datasets)),
    )


def compare_with_baseline(
    results: Results,
    baseline: str,
    score: Score = "final",
    paired: bool | None = None,
    margin: float | None = None,
) -> Comparison:
    """Compare each other variant of one run (B) with a baseline of the same run (A), as `compare` does.

    Raises:
        HarnessError: for a baseline that the results lack, or when there is nothing to compare.
    """
    if baseline not in results.algorithms:
        raise HarnessError(
            f"{results.source} has no variant {baseline}{nearest(baseline, results.algorithms)}"
        )
    if results.algorithms == [baseline]:
        raise HarnessError(f"{results.source} has no variant other than {baseline} to compare with it")
    sides = {name: Side.of(results.title(name), results, name, score) for name in results.algorithms}
    a = sides.pop(baseline)
    pairs = {name: (a, side) for name, side in sides.items()}
    return replace(
        compare_pairs(pairs, results.datasets, score, paired, margin),
        about=f"Each variant against {a.name}: {captions.measure(results).lower()}, "
        f"{captions.of_trial(results, score)}; {captions.seeds(results)}.",
        sides=(a.name, "Variant"),
        notes=captions.notes(results),
    )


def default_baseline(results: Results) -> str:
    """Return TD3+BC with the hyper-parameters of its paper or, if there is none, the first variant."""
    variants = results.experiment.variants() if results.experiment else {}
    paper = TD3BCHyperparameters()
    full = [name for name, each in variants.items() if each.model_copy(update={"label": None}) == paper]
    return next((name for name in (*full, "td3_bc") if name in results.algorithms), results.algorithms[0])


def _lacking(a: Results, b: Results, compared: Iterable[str], datasets: Sequence[str]) -> Iterator[str]:
    absent = [name for name in a.algorithms if name not in compared]
    absent += [name for name in a.datasets if name not in datasets]
    if absent:
        yield f"B has no results of {listed(absent)}"
    steps = [{results.final_steps[name] for name in datasets} for results in (a, b)]
    if steps[0] != steps[1]:
        ours, theirs = (listed(f"{count:,}" for count in sorted(counts)) for counts in steps)
        yield f"A was trained for {ours} gradient steps, B for {theirs}"


def _shared_variants(a: Results, b: Results) -> dict[str, str]:
    """Map A's names to B's; two sets of a single variant each are compared regardless of names."""
    if len(a.algorithms) == len(b.algorithms) == 1:
        return {a.algorithms[0]: b.algorithms[0]}
    shared = same_algorithms(a.algorithms, b.algorithms)
    if not shared:
        raise HarnessError(
            f"{a.source} and {b.source} have no algorithm in common: {listed(a.algorithms, 5)} against "
            f"{listed(b.algorithms, 5)}"
        )
    return shared


def _notes(a: Results, b: Results, names: Mapping[str, str]) -> Iterator[str]:
    yield from captions.selection(a)
    for ours, theirs in names.items():
        if ours != theirs:
            yield f"{ours} of A is compared with {theirs} of B."
    for side, these, others, compared in (("A", a, b, list(names)), ("B", b, a, list(names.values()))):
        alone = [name for name in these.algorithms if name not in compared]
        alone += [name for name in these.datasets if name not in others.datasets]
        if alone and not others.only:
            yield f"Only in {side}, not compared: {listed(alone)}."
    if captions.protocol(a) != captions.protocol(b):
        yield f"The protocols differ: A {captions.protocol(a)[:-1]}; B {captions.protocol(b)}"
