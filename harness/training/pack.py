"""Trials that differ in nothing but their seed and dataset, trained side by side."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from harness.algorithms import learner_class
from harness.datasets.dataset import OfflineDataset
from harness.errors import HarnessError
from harness.training import packed_data
from harness.training.environment import action_limit, environment_name, make_environment, require_fit
from harness.training.evaluation import (
    Episodes,
    Evaluation,
    EvaluationService,
    Evaluators,
    PendingEpisodes,
    episode_seeds,
)
from harness.training.policy import Policy
from harness.trial import Trial


class _Measured(NamedTuple):
    """What is known of an evaluation before its episodes are."""

    step: int
    train_seconds: float
    metrics: list[dict[str, float]]
    episodes: list[PendingEpisodes]


class Pack:
    """Trains M trials to the next evaluation, evaluates, and so on.

    The state of each trial can be saved on its own and goes on in any other pack. With an
    `evaluation_service`, training goes on while the episodes run elsewhere, one interval ahead of them.

    Args:
        trials: what to train; their datasets must be alike in the sizes of observations and actions.
        loaded: the dataset of each trial, if they are loaded already.
        device: where the learner's tensors live.
        evaluation_service: what runs the episodes; by default this process does, on the CPU.

    Raises:
        HarnessError: when the trials cannot share a pack, the device has not their precision, or a dataset
            and its environment do not fit.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        loaded: Sequence[OfflineDataset] | None = None,
        device: str = "cpu",
        evaluation_service: EvaluationService | None = None,
    ) -> None:
        self.trials = tuple(trials)
        _require_alike(self.trials)
        _require_precision(self.trials[0], device)
        self.datasets = tuple(loaded or packed_data.load(self.trials))
        """Of each trial."""
        self.environments = tuple(map(environment_name, self.trials, self.datasets))
        """The task that each trial is evaluated on."""
        self.records: list[list[Evaluation]] = [[] for _ in self.trials]
        """The evaluations so far, of each trial."""
        self.failures: dict[int, Exception] = {}
        """What was raised in the episodes of trials, which get no further; not where there is one trial."""
        self._evaluators = Evaluators()
        self._evaluation_service = evaluation_service or self._evaluators
        self._evaluations_behind = 0 if evaluation_service is None else 1
        self._pending: list[_Measured] = []
        observation_size, action_size, self.max_action = self._sizes()
        hyperparameters = self.trials[0].hyperparameters
        data = packed_data.pack(self.datasets, hyperparameters.state_normalization, device)
        self.state_mean, self.state_scale = data.state_mean, data.state_scale
        self.learner = learner_class(hyperparameters.algorithm)(
            hyperparameters,
            data.transitions,
            observation_size=observation_size,
            action_size=action_size,
            max_action=self.max_action,
            state_mean=torch.from_numpy(data.state_mean),
            state_scale=torch.from_numpy(data.state_scale),
            seeds=[trial.seed for trial in self.trials],
            rows=data.rows,
            device=device,
        )

    @property
    def step(self) -> int:
        """Gradient steps taken."""
        return self.learner.step

    @property
    def finished(self) -> bool:
        return all(
            index in self.failures
            or (evaluations and evaluations[-1].step >= self.trials[0].training.gradient_steps)
            for index, evaluations in enumerate(self.records)
        )

    def advance_all(self) -> None:
        """Train to the next evaluation and start it; record the evaluations that have ended."""
        if self.finished:
            raise RuntimeError(f"trial {self.trials[0].key} is finished")
        if self.step < self.trials[0].training.gradient_steps:
            self._train_to_next_evaluation()
        at_the_end = self.step >= self.trials[0].training.gradient_steps
        self._collect(0 if at_the_end else self._evaluations_behind)

    def wait_for_evaluations(self) -> None:
        """Wait for the evaluations under way and record them."""
        self._collect(0)

    def policy(self, index: int = 0) -> Policy:
        """The policy of a trial as it stands now."""
        mean, scale = self.state_mean[index], self.state_scale[index]
        return Policy(self.learner.actor(index), self.max_action, mean, scale)

    def state_dict(self, index: int = 0) -> dict[str, Any]:
        """All that is needed to go on with a trial, in types that `torch.load(weights_only=True)` loads."""
        self.wait_for_evaluations()
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
        self._evaluators.close()

    def _sizes(self) -> tuple[int, int, float]:
        """Of observations and actions, and the largest action; trials that differ in them are refused."""
        sizes = set()
        pairs = zip(self.datasets, self.environments, strict=True)
        for dataset, name in {(id(dataset), name): (dataset, name) for dataset, name in pairs}.values():
            environment = make_environment(name)
            require_fit(dataset, environment)
            sizes.add((dataset.observation_size, dataset.action_size, action_limit(environment)))
            environment.close()
        if len(sizes) > 1:
            raise HarnessError("the trials of a pack differ in the sizes of their observations or actions")
        return sizes.pop()

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
                environment,
                self.policy(index),
                episode_seeds(trial.evaluation.seed, trial.seed, trial.evaluation.episodes),
                self.records[index][-1].evaluation_seconds if self.records[index] else 1.0,
            )
            for index, (trial, environment) in enumerate(zip(self.trials, self.environments, strict=True))
        ]
        self._pending.append(_Measured(self.step, train_seconds, metrics, episodes))

    def _collect(self, leave: int) -> None:
        """Record the evaluations under way but the last `leave`."""
        while len(self._pending) > leave:
            measured = self._pending.pop(0)
            for index, pending in enumerate(measured.episodes):
                if index in self.failures:
                    continue
                try:
                    episodes = pending.result()
                except Exception as error:
                    if len(self.trials) == 1:
                        raise
                    self.failures[index] = error
                else:
                    self.records[index].append(self._evaluation(measured, index, episodes))

    def _evaluation(self, measured: _Measured, index: int, episodes: Episodes) -> Evaluation:
        mean = float(np.mean(episodes.returns))
        reference = self.datasets[index].reference
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


def _require_alike(trials: Sequence[Trial]) -> None:
    if any(trial.pack_settings != trials[0].pack_settings for trial in trials):
        raise HarnessError("the trials of a pack differ in more than their seed and dataset")


def _require_precision(trial: Trial, device: str) -> None:
    if trial.hyperparameters.precision == "tf32" and torch.device(device).type == "cpu":
        raise HarnessError(f"{trial.key}: precision tf32 is a GPU's: train it with device='cuda', or in fp32")
