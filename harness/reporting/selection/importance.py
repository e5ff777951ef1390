"""The importance of hyper-parameters by fANOVA (Hutter et al. 2014), as Optuna computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError, needs_extra
from harness.reporting.results import Results
from harness.reporting.selection.candidates import Candidates
from harness.reporting.selection.hyperparameters import Hyperparameter, varied
from harness.reporting.statistics import RANDOM_SEED

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST_SAMPLES = 8


def importances(results: Results, candidates: Candidates) -> dict[str, float]:
    """Return the share of each hyper-parameter in the variance that they explain one by one.

    A forest of trees is fitted to the mean scores of the samples, so few samples give rough numbers. The
    shares add up to 1, as Optuna normalizes them: what hyper-parameters explain only together is left out.

    Raises:
        HarnessError: without the extra `search`, and for fewer than 8 samples.
    """
    with needs_extra("search", "the importance of hyper-parameters needs Optuna and scikit-learn"):
        import optuna
        import sklearn  # type: ignore[import-untyped]  # noqa: F401  (Optuna's fANOVA uses its forest)
    if len(candidates.names) < FEWEST_SAMPLES:
        raise HarnessError(
            f"{results.source}: importance needs {FEWEST_SAMPLES} finished samples; {candidates.search} has "
            f"{len(candidates.names)} on {candidates.dataset}"
        )
    hyperparameters = varied(results, candidates.search, candidates.names)
    if len(hyperparameters) < 2:
        return {each.path: 1.0 for each in hyperparameters}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    axes = {each.path: _axis(each) for each in hyperparameters}
    for place, score in enumerate(candidates.means):
        parameters = {
            each.path: each.numbers[place] if each.is_numeric else str(each.values[place])
            for each in hyperparameters
        }
        study.add_trial(optuna.trial.create_trial(params=parameters, distributions=axes, value=float(score)))
    found = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=RANDOM_SEED)
    )
    return {each.path: float(found[each.path]) for each in hyperparameters}


def _axis(hyperparameter: Hyperparameter) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if not hyperparameter.is_numeric:
        return CategoricalDistribution(hyperparameter.choices)
    numbers = hyperparameter.numbers
    return FloatDistribution(numbers.min(), numbers.max(), log=hyperparameter.logarithmic)
