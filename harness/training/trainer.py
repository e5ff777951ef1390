"""One trial from its first gradient step to its last evaluation."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from harness import datasets
from harness.algorithms import learner_class
from harness.datasets.dataset import OfflineDataset
from harness.errors import HarnessError
from harness.experiment import Trial
from harness.training.environment import action_limit
from harness.training.evaluation import Evaluation, Evaluator
from harness.training.normalization import state_statistics
from harness.training.policy import Policy


class Trainer:
    """Trains a trial to its next evaluation, evaluates, and so on to the end.

    Its state can be saved between any two evaluations; a trainer that loads it goes on bit for bit as the one
    that saved it would have.

    Args:
        trial: what to train; `Trial.model_validate({"algorithm": "td3_bc", "dataset": ..., "seed": 0})`.
        dataset: the trial's dataset if it is loaded already.
        device: where the learner's tensors live. Evaluation runs on the CPU always.

    Raises:
        HarnessError: when the dataset and the environment do not fit each other.
    """

    def __init__(self, trial: Trial, dataset: OfflineDataset | None = None, device: str = "cpu") -> None:
        self.trial = trial
        self.dataset = dataset if dataset is not None else datasets.load(trial.dataset, trial.data)
        self.evaluations: list[Evaluation] = []
        self.evaluator = Evaluator(
            _environment_name(trial, self.dataset),
            trial.evaluation.episodes,
            trial.evaluation.seed,
            trial.seed,
        )
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
            state_mean=torch.from_numpy(self.state_mean).to(device),
            state_scale=torch.from_numpy(self.state_scale).to(device),
            seeds=[trial.seed],
            device=device,
        )

    @property
    def step(self) -> int:
        """Gradient steps taken."""
        return self.learner.step

    @property
    def finished(self) -> bool:
        return bool(self.evaluations) and self.evaluations[-1].step >= self.trial.training.gradient_steps

    def __iter__(self) -> Iterator[Evaluation]:
        """The evaluations still ahead."""
        while not self.finished:
            yield self.advance()

    def advance(self) -> Evaluation:
        """Train to the next evaluation and evaluate."""
        if self.finished:
            raise RuntimeError(f"trial {self.trial.key} is finished")
        started = time.perf_counter()
        self.learner.train(self._next_evaluation() - self.step)
        metrics = self.learner.metrics()[0]
        trained = time.perf_counter()
        returns = self.evaluator.evaluate(self.policy())
        mean = float(np.mean(returns))
        reference = self.dataset.reference
        evaluation = Evaluation(
            step=self.step,
            return_mean=mean,
            return_std=float(np.std(returns)),
            normalized_score=reference.normalize(mean) if reference else None,
            episode_returns=returns,
            train_seconds=trained - started,
            evaluation_seconds=time.perf_counter() - trained,
            metrics=metrics,
        )
        self.evaluations.append(evaluation)
        return evaluation

    def policy(self) -> Policy:
        """The policy as it stands now."""
        return Policy(self.learner.actor(0), self.max_action, self.state_mean, self.state_scale)

    def state_dict(self) -> dict[str, Any]:
        """All that a trainer of the same trial needs to go on, in types that `weights_only=True` loads."""
        return {
            "trial": self.trial.digest,
            "learner": self.learner.state_dict(0),
            "evaluations": json.dumps([evaluation.to_row() for evaluation in self.evaluations]),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["trial"] != self.trial.digest:
            raise HarnessError(f"checkpoint of another trial than {self.trial.key}: its settings differ")
        self.learner.load_state_dict(0, state["learner"])
        self.evaluations = [Evaluation.from_row(row) for row in json.loads(state["evaluations"])]

    def close(self) -> None:
        self.evaluator.close()

    def _next_evaluation(self) -> int:
        interval = self.trial.evaluation.interval
        return min((self.step // interval + 1) * interval, self.trial.training.gradient_steps)


def _environment_name(trial: Trial, dataset: OfflineDataset) -> str:
    name = trial.dataset.environment or dataset.environment
    if name is None:
        raise HarnessError(
            f"dataset {dataset.name}: no environment to evaluate on; name one with `environment:` beside it"
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
