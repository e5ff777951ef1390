"""Compares the variants of one run with a baseline among them."""

from __future__ import annotations

from harness.algorithms.hyperparameters.td3 import TD3BCHyperparameters
from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.comparison.model import Comparison
from harness.reporting.comparison.testing import Side, compare_pairs
from harness.reporting.results import Results
from harness.scores import Score
from harness.validation import nearest


def compare_with_baseline(
    results: Results,
    baseline: str,
    score: Score = "final",
    paired: bool | None = None,
    margin: float | None = None,
) -> Comparison:
    """Compare each other variant of one run (B) with a baseline of the same run (A).

    Args:
        paired, margin: as in `compare`.

    Raises:
        HarnessError: for a baseline that the results lack, or when there is nothing to compare.
    """
    if baseline not in results.algorithms:
        raise HarnessError(
            f"{results.source} has no variant {baseline}{nearest(baseline, results.algorithms)}"
        )
    if results.algorithms == [baseline]:
        raise HarnessError(f"{results.source} has no variant other than {baseline} to compare with it")
    a = Side.of(results.title(baseline), results, baseline, score)
    pairs = {
        name: (a, Side.of(results.title(name), results, name, score))
        for name in results.algorithms
        if name != baseline
    }
    by_seed, differences = compare_pairs(pairs, results.datasets, paired, margin)
    return Comparison(
        score=score,
        paired=by_seed,
        margin=margin,
        differences=differences,
        about=f"Each variant against {a.name}: {captions.measure(results).lower()}, "
        f"{captions.of_trial(results, score)}; {captions.seeds(results)}.",
        sides=(a.name, "Variant"),
        notes=captions.notes(results),
    )


def default_baseline(results: Results) -> str:
    """Return TD3+BC with the hyper-parameters of its paper or, if there is none, the first variant."""
    variants = results.experiment.variants() if results.experiment else {}
    unlabelled = {name: setting.model_copy(update={"label": None}) for name, setting in variants.items()}
    full = [name for name, setting in unlabelled.items() if setting == TD3BCHyperparameters()]
    return next((name for name in (*full, "td3_bc") if name in results.algorithms), results.algorithms[0])
