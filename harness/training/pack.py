"""Trials that differ in nothing but their seed, trained side by side."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from harness import datasets
from harness.algorithms import learner_class
from harness.datasets.dataset import OfflineDataset
from harness.errors import HarnessError
from harness.experiment import Trial
from harness.training.environment import action_limit
from harness.training.evaluation import Evaluation, Evaluator, episode_seeds
from harness.training.normalization import state_statistics
from harness.training.policy import Policy


class Episodes(NamedTuple):
    """The return of each episode, and the seconds that they took together."""

    returns: tuple[float, ...]
    seconds: float


class PendingEpisodes(Protocol):
    def result(self) -> Episodes:
        """Wait for the episodes to end."""


class EvaluationService(Protocol):
    """Runs the episodes of policies, here and now or elsewhere while training goes on."""

    def submit(self, policy: Policy, seeds: Sequence[int]) -> PendingEpisodes: ...


class _Measured(NamedTuple):
    """What is known of an evaluation before its episodes are."""

    step: int
    train_seconds: float
    metrics: list[dict[str, float]]
    episodes: list[PendingEpisodes]


class Pack:
    """Trains M trials that differ in their seed alone to the next evaluation, evaluates, and so on.

    The state of each trial can be saved on its own and goes on in any other pack. With an
    `evaluation_service`, training goes on while the episodes run elsewhere, one interval ahead of them.

    Args:
        trials: what to train.
        dataset: the trials' dataset if it is loaded already.
        device: where the learner's tensors live.
        evaluation_service: what runs the episodes; by default this process does, on the CPU.

    Raises:
        HarnessError: when the trials cannot share a pack, or the dataset and the environment do not fit.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        dataset: OfflineDataset | None = None,
        device: str = "cpu",
        evaluation_service: EvaluationService | None = None,
    ) -> None:
        self.trials = tuple(trials)
        trial = self.trials[0]
        if any(other.model_copy(update={"seed": trial.seed}) != trial for other in self.trials):
            raise HarnessError("the trials of a pack differ in more than their seed")
        self.dataset = dataset if dataset is not None else datasets.load(trial.dataset, trial.data)
        self.records: list[list[Evaluation]] = [[] for _ in self.trials]
        """The evaluations so far, of each trial."""
        self.evaluator = Evaluator(environment_name(trial, self.dataset), trial.evaluation.episodes)
        self._evaluation_service = evaluation_service or _Here(self.evaluator)
        self._evaluations_behind = 0 if evaluation_service is None else 1
        self._pending: list[_Measured] = []
        environment = self.evaluator.environments[0]
        self.max_action = action_limit(environment)
        _check_fit(self.dataset, environment.observation_space.shape, self.max_action)
        self.state_mean, self.state_scale = state_statistics(
            self.dataset.observations, trial.hyperparameters.state_normalization
        )
        self.learner = learner_class(trial.hyperparameters.algorithm)(
            trial.hyperparameters,
            _as_tensor(self.dataset.transitions, device),
            observation_size=self.dataset.observation_size,
            action_size=self.dataset.action_size,
            max_action=self.max_action,
            state_mean=torch.from_numpy(self.state_mean),
            state_scale=torch.from_numpy(self.state_scale),
            seeds=[trial.seed for trial in self.trials],
            device=device,
        )

    @property
    def step(self) -> int:
        """Gradient steps taken."""
        return self.learner.step

    @property
    def finished(self) -> bool:
        return all(
            evaluations and evaluations[-1].step >= self.trials[0].training.gradient_steps
            for evaluations in self.records
        )

    def advance_all(self) -> list[list[Evaluation]]:
        """Train to the next evaluation and start it; of each trial, the evaluations that have ended."""
        if self.finished:
            raise RuntimeError(f"trial {self.trials[0].key} is finished")
        before = [len(evaluations) for evaluations in self.records]
        if self.step < self.trials[0].training.gradient_steps:
            self._train_to_next_evaluation()
        at_the_end = self.step >= self.trials[0].training.gradient_steps
        self._collect(0 if at_the_end else self._evaluations_behind)
        return [evaluations[count:] for evaluations, count in zip(self.records, before, strict=True)]

    def policy(self, index: int = 0) -> Policy:
        """The policy of a trial as it stands now."""
        return Policy(self.learner.actor(index), self.max_action, self.state_mean, self.state_scale)

    def state_dict(self, index: int = 0) -> dict[str, Any]:
        """All that is needed to go on with a trial, in types that `torch.load(weights_only=True)` loads."""
        self._collect(0)
        return {
            "trial": self.trials[index].digest,
            "learner": self.learner.state_dict(index),
            "evaluations": json.dumps([evaluation.to_row() for evaluation in self.records[index]]),
        }

    def load_state_dict(self, state: dict[str, Any], index: int = 0) -> None:
        """Go on bit for bit as the trainer that gave the state would have.

        Raises:
            HarnessError: for the state of another trial.
        """
        if state["trial"] != self.trials[index].digest:
            raise HarnessError(
                f"checkpoint of another trial than {self.trials[index].key}: its settings differ"
            )
        self.learner.load_state_dict(index, state["learner"])
        self.records[index] = [Evaluation.from_row(row) for row in json.loads(state["evaluations"])]

    def close(self) -> None:
        self.evaluator.close()

    def _train_to_next_evaluation(self) -> None:
        trial = self.trials[0]
        started = time.perf_counter()
        interval = trial.evaluation.interval
        end = min((self.step // interval + 1) * interval, trial.training.gradient_steps)
        self.learner.train(end - self.step)
        metrics = self.learner.metrics()
        train_seconds = (time.perf_counter() - started) / len(self.trials)
        episodes = [
            self._evaluation_service.submit(
                self.policy(index),
                episode_seeds(trial.evaluation.seed, trial.seed, trial.evaluation.episodes),
            )
            for index, trial in enumerate(self.trials)
        ]
        self._pending.append(_Measured(self.step, train_seconds, metrics, episodes))

    def _collect(self, leave: int) -> None:
        """Record the evaluations under way but the last `leave`."""
        while len(self._pending) > leave:
            measured = self._pending.pop(0)
            for index, pending in enumerate(measured.episodes):
                self.records[index].append(self._evaluation(measured, index, pending.result()))

    def _evaluation(self, measured: _Measured, index: int, episodes: Episodes) -> Evaluation:
        mean = float(np.mean(episodes.returns))
        reference = self.dataset.reference
        return Evaluation(
            step=measured.step,
            return_mean=mean,
            return_std=float(np.std(episodes.returns)),
            normalized_score=reference.normalize(mean) if reference else None,
            episode_returns=episodes.returns,
            train_seconds=measured.train_seconds,
            evaluation_seconds=episodes.seconds,
            metrics=measured.metrics[index],
        )


class _Here(NamedTuple):
    """Runs the episodes in this process before training goes on."""

    evaluator: Evaluator

    def submit(self, policy: Policy, seeds: Sequence[int]) -> PendingEpisodes:
        return _Done(run_episodes(self.evaluator, policy, seeds))


class _Done(NamedTuple):
    episodes: Episodes

    def result(self) -> Episodes:
        return self.episodes


def run_episodes(evaluator: Evaluator, policy: Policy, seeds: Sequence[int]) -> Episodes:
    started = time.perf_counter()
    returns = evaluator.evaluate(policy, seeds)
    return Episodes(returns, time.perf_counter() - started)


def environment_name(trial: Trial, dataset: OfflineDataset) -> str:
    """The gymnasium id that the trial is evaluated on."""
    name = trial.dataset.environment or dataset.environment
    if name is None:
        reason = f" ({dataset.refusal})" if dataset.refusal else ""
        raise HarnessError(
            f"dataset {dataset.name}: no environment to evaluate on{reason}; name one with `environment:`"
        )
    return name


def _check_fit(dataset: OfflineDataset, observation_shape: tuple[int, ...] | None, max_action: float) -> None:
    if observation_shape != (dataset.observation_size,):
        raise HarnessError(
            f"dataset {dataset.name}: observations have size {dataset.observation_size}, "
            f"those of its environment have shape {observation_shape}"
        )
    largest = float(np.abs(dataset.actions).max())
    if largest > max_action * 1.001:
        raise HarnessError(
            f"dataset {dataset.name}: actions reach {largest:g}, those of its environment {max_action:g}"
        )


def _as_tensor(array: np.ndarray[Any, np.dtype[np.float32]], device: str) -> torch.Tensor:
    """The array as a tensor, on the CPU without a copy: all processes of a machine share one mapped file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)
