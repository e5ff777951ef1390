"""Selects the policies of a trial to save (`training.save_policy`), and writes their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import __version__
from harness.datasets.dataset import OfflineDataset
from harness.environments.spec import EnvironmentSpec
from harness.policies import Policy
from harness.policies.files import PolicyInfo, dumps
from harness.policies.names import Chosen, file_name
from harness.training.evaluation import Evaluation
from harness.training.settings import TrainingSettings
from harness.trial import Trial


@dataclass(frozen=True)
class KeptPolicy:
    """A policy to save, with its evaluation."""

    chosen: Chosen
    policy: Policy
    evaluation: Evaluation

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return file_name(self.chosen, self.evaluation.step)

    def to_bytes(
        self, trial: Trial, dataset: OfflineDataset, environment: EnvironmentSpec, experiment: str = ""
    ) -> bytes:
        """Return the content of its file."""
        reference = dataset.reference
        info = PolicyInfo(
            variant=trial.algorithm,
            algorithm=trial.hyperparameters.algorithm,
            dataset=trial.dataset.name,
            dataset_digest=dataset.digest,
            seed=trial.seed,
            step=self.evaluation.step,
            chosen=self.chosen,
            environment=environment.id,
            environment_changes=environment.changes(),
            evaluation_seed=trial.evaluation.seed,
            episode_returns=self.evaluation.episode_returns,
            reference=None if reference is None else (reference.minimum, reference.maximum),
            experiment=experiment,
            harness_version=__version__,
        )
        return dumps(self.policy, info, dataset.observation_size, dataset.action_size)


class KeptPolicies:
    """Collects the policies of one trial that are to be saved."""

    def __init__(self, settings: TrainingSettings) -> None:
        self._mode, _, interval = settings.save_policy.partition(" ")
        self._interval = int(interval or 0)
        self._last_step = settings.gradient_steps
        self._waiting: dict[str, KeptPolicy] = {}

    def consider(self, evaluation: Evaluation, policy: Policy, earlier: Sequence[Evaluation]) -> None:
        """Keep an evaluated policy if the settings say that it is saved; `earlier` are those of the trial."""
        if self._mode == "best":
            if all(_score(evaluation) > _score(other) for other in earlier):
                self._keep(KeptPolicy("best", policy, evaluation))
            return
        if self._mode == "every" and evaluation.step % self._interval == 0:
            self._keep(KeptPolicy("step", policy, evaluation))
        if self._mode != "none" and evaluation.step == self._last_step:
            self._keep(KeptPolicy("final", policy, evaluation))

    def take(self) -> list[KeptPolicy]:
        """Return the policies to save, and forget them."""
        waiting, self._waiting = list(self._waiting.values()), {}
        return waiting

    def _keep(self, kept: KeptPolicy) -> None:
        self._waiting[kept.name] = kept


def _score(evaluation: Evaluation) -> float:
    """Return the normalized score, or without reference scores the return, which gives the same order."""
    return evaluation.return_mean if evaluation.normalized_score is None else evaluation.normalized_score
