"""Trains trials side by side that differ only in seed and dataset."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from harness.algorithms import Learner, learner_class
from harness.datasets.dataset import OfflineDataset
from harness.divergence import DivergedError, first_divergence
from harness.errors import HarnessError
from harness.policies import ActionRange, Policy, RescaledPolicy
from harness.training import loading, packed_data
from harness.training.environment import check_environment, environment_of
from harness.training.evaluation import (
    Episodes,
    Evaluation,
    EvaluationService,
    LocalEvaluation,
    PendingEpisodes,
    episode_seeds,
)
from harness.training.kept_policies import KeptPolicies
from harness.training.protocols import PackState, ShouldStop
from harness.trial import Trial

SLICE_SECONDS = 0.5
"""The approximate time between two calls of `should_stop`."""
SLICE_STEPS = 8
"""Slices end at multiples of this many gradient steps, so that results are bit-identical without slices."""


class _Measured(NamedTuple):
    """The part of an evaluation that is known before its episodes have ended."""

    step: int
    train_seconds: float
    metrics: list[dict[str, float]]
    episodes: list[PendingEpisodes]
    policies: list[Policy]


class Pack:
    """Trains M trials from evaluation to evaluation.

    The state of each trial can be saved separately and continued in any other pack. With an
    `evaluation_service`, training runs up to one interval ahead while the episodes run elsewhere; by default
    this process runs them, on the CPU. Datasets that are already `loaded` are given for each trial.

    Raises:
        HarnessError: if the trials cannot share a pack, the device does not support their precision, or a
            dataset does not fit its environment.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        loaded: Sequence[OfflineDataset] | None = None,
        device: str = "cpu",
        evaluation_service: EvaluationService | None = None,
    ) -> None:
        self.trials = tuple(trials)
        _require_compatible(self.trials)
        _require_precision(self.trials[0], device)
        self.datasets = tuple(loaded or loading.load(self.trials))
        """The dataset of each trial."""
        self.environments = tuple(map(environment_of, self.trials, self.datasets))
        """The environment that each trial is evaluated on."""
        self.records: list[list[Evaluation]] = [[] for _ in self.trials]
        """The evaluations so far, of each trial."""
        self.failures: dict[int, Exception] = {}
        """By index, the exception from the episodes of a trial; a pack of one trial raises it instead."""
        self._local_evaluation = LocalEvaluation()
        self._evaluation_service = evaluation_service or self._local_evaluation
        self._max_pending = 0 if evaluation_service is None else 1
        self._pending: list[_Measured] = []
        self._kept_policies = [KeptPolicies(trial.training) for trial in self.trials]
        self._loaded_metrics: list[dict[str, float]] = [{} for _ in self.trials]
        """Of each trial, its metrics when its state was saved; updates need not return every metric again."""
        self._train_seconds = 0.0
        self._steps_per_second = 0.0
        self.action_ranges = self._checked_action_ranges()
        """The bounds of the actions in each trial's environment."""
        learned = packed_data.rescale_actions(self.datasets, self.action_ranges)
        max_action = self.action_ranges[0].max_action
        data = packed_data.training_data(self.trials, learned, max_action, device)
        hyperparameters = self.trials[0].hyperparameters
        self.learner: Learner = learner_class(hyperparameters)(
            hyperparameters, data, [trial.seed for trial in self.trials], device=device
        )

    @property
    def step(self) -> int:
        """Gradient steps taken."""
        return self.learner.step

    @property
    def finished(self) -> bool:
        """Return whether every trial has its last evaluation or has failed."""
        return all(
            index in self.failures
            or (evaluations and evaluations[-1].step >= self.trials[0].training.gradient_steps)
            for index, evaluations in enumerate(self.records)
        )

    def advance(self, should_stop: ShouldStop | None = None) -> bool:
        """Train to the next evaluation and start it; record the evaluations that have ended.

        Once `should_stop`, which is called about every half second, returns True, training stops at the
        current step, where the state can be saved; the result is then False.
        """
        if self.finished:
            raise RuntimeError(f"trial {self.trials[0].key} is finished")
        last = self.trials[0].training.gradient_steps
        if self.step < last:
            if not self._train_to_next_evaluation(should_stop):
                return False
            self._start_evaluation()
        self._collect(0 if self.step >= last else self._max_pending)
        return True

    def wait_for_evaluations(self) -> None:
        """Wait for the pending evaluations and record them."""
        self._collect(0)

    def policy(self, index: int = 0) -> Policy:
        """Return the current policy of a trial, with actions in the range of its environment."""
        policy, action_range = self.learner.policy(index), self.action_ranges[index]
        return policy if action_range.is_symmetric else RescaledPolicy(policy, action_range)

    def policy_files(self, index: int = 0, experiment: str = "") -> dict[str, bytes]:
        """Return the policies of a trial to save since the last call, as file contents by name."""
        origin = self.trials[index], self.datasets[index], self.environments[index], experiment
        return {kept.name: kept.to_bytes(*origin) for kept in self._kept_policies[index].take()}

    def state_dict(self, index: int = 0) -> PackState:
        """Return everything needed to continue with a trial.

        Its types are those that `torch.load(weights_only=True)` loads.
        """
        self.wait_for_evaluations()
        return {
            "trial": self.trials[index].digest,
            "learner": self.learner.state_dict(index),
            "metrics": self._metrics()[index],
            "train_seconds": self._train_seconds,
            "evaluations": json.dumps([evaluation.to_row() for evaluation in self.records[index]]),
        }

    def load_state_dict(self, index: int, state: PackState) -> None:
        """Load the state of a trial; training then continues bit for bit as in the pack that it came from.

        Raises:
            HarnessError: if it is the state of another trial.
        """
        if state["trial"] != self.trials[index].digest:
            raise HarnessError(f"the checkpoint and trial {self.trials[index].key} have different settings")
        self.learner.load_state_dict(index, state["learner"])
        self._loaded_metrics[index] = state.get("metrics", {})
        self._train_seconds = state["train_seconds"]
        self.records[index] = [Evaluation.from_row(row) for row in json.loads(state["evaluations"])]

    def close(self) -> None:
        """Close the environments."""
        self._local_evaluation.close()

    def _checked_action_ranges(self) -> tuple[ActionRange, ...]:
        """Check each environment, and that all trials have equal sizes and an equal largest action."""
        check = cache(check_environment)
        pairs = zip(self.environments, self.datasets, strict=True)
        found = tuple(check(environment, dataset).action_range for environment, dataset in pairs)
        sizes = {
            (dataset.observation_size, dataset.action_size, action_range.max_action)
            for dataset, action_range in zip(self.datasets, found, strict=True)
        }
        if len(sizes) > 1:
            raise HarnessError("the trials of a pack differ in the sizes of their observations or actions")
        return found

    def _train_to_next_evaluation(self, should_stop: ShouldStop | None) -> bool:
        """Train; return False if `should_stop` ended it early."""
        trial = self.trials[0]
        interval = trial.evaluation.interval
        end = min((self.step // interval + 1) * interval, trial.training.gradient_steps)
        while self.step < end:
            started, before = time.perf_counter(), self.step
            self.learner.train(self._slice(end) if should_stop else end - before)
            seconds = time.perf_counter() - started
            self._train_seconds += seconds / len(self.trials)
            self._steps_per_second = (self.step - before) / max(seconds, 1e-9)
            if self.step < end and should_stop is not None and should_stop():
                return False
        return True

    def _slice(self, end: int) -> int:
        """Return the number of gradient steps to take before asking again whether to stop."""
        wanted = self.step + max(1, int(self._steps_per_second * SLICE_SECONDS))
        return min(-(-wanted // SLICE_STEPS) * SLICE_STEPS, end) - self.step

    def _start_evaluation(self) -> None:
        policies = [self.policy(index) for index in range(len(self.trials))]
        episodes = [
            self._evaluation_service.submit(
                self.environments[index],
                policies[index],
                episode_seeds(trial.evaluation.seed, trial.seed, trial.evaluation.episodes),
                self.records[index][-1].evaluation_seconds if self.records[index] else 1.0,
            )
            for index, trial in enumerate(self.trials)
        ]
        self._pending.append(_Measured(self.step, self._train_seconds, self._metrics(), episodes, policies))
        self._train_seconds = 0.0

    def _metrics(self) -> list[dict[str, float]]:
        """Return the latest value of every metric, by trial."""
        pairs = zip(self._loaded_metrics, self.learner.metrics(), strict=True)
        return [loaded | latest for loaded, latest in pairs]

    def _collect(self, leave: int) -> None:
        """Record the pending evaluations, except the last `leave` ones."""
        while len(self._pending) > leave:
            measured = self._pending.pop(0)
            for index, pending in enumerate(measured.episodes):
                if index in self.failures:
                    continue
                try:
                    evaluation = self._evaluation(measured, index, pending.result())
                    self._require_finite(evaluation)
                except Exception as error:
                    if len(self.trials) == 1:
                        raise
                    self.failures[index] = error
                else:
                    self._kept_policies[index].consider(
                        evaluation, measured.policies[index], self.records[index]
                    )
                    self.records[index].append(evaluation)

    def _require_finite(self, evaluation: Evaluation) -> None:
        """Raise a DivergedError if metrics are not finite and `on_divergence` is `fail`."""
        divergence = first_divergence([evaluation.to_row()])
        if divergence is not None and self.trials[0].training.on_divergence == "fail":
            raise DivergedError(f"training diverged: {divergence} (training.on_divergence: fail)")

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


def _require_compatible(trials: Sequence[Trial]) -> None:
    if any(trial.pack_settings != trials[0].pack_settings for trial in trials):
        raise HarnessError("the trials of a pack differ in more than their seed and dataset")


def _require_precision(trial: Trial, device: str) -> None:
    if trial.hyperparameters.precision == "tf32" and torch.device(device).type == "cpu":
        raise HarnessError(f"{trial.key}: precision tf32 requires a GPU; use device='cuda' or precision fp32")
