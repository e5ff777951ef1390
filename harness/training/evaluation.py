"""Evaluates policies over n episodes from fixed seeds, stepped in lock-step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.columns import EVALUATION
from harness.divergence import non_finite
from harness.environments.spec import EnvironmentSpec, as_spec
from harness.errors import HarnessError, typed_line
from harness.policies import Policy
from harness.training.environment import make_environment


@dataclass(frozen=True)
class Evaluation:
    """Holds the result of one evaluation.

    Attributes:
        step: gradient steps taken before it.
        return_mean: mean of the undiscounted episode returns; NaN where the policy's actions were not finite.
        return_std: standard deviation of the episode returns, ddof 0.
        normalized_score: None where the dataset has no reference scores.
        episode_returns: one return for each episode seed.
        train_seconds: wall time of the gradient steps since the previous evaluation; in a pack, an equal
            share of it.
        evaluation_seconds: wall time of the episodes.
        metrics: the learner's scalars at this step, such as `q1` and `critic_loss`.
    """

    step: int
    return_mean: float
    return_std: float
    normalized_score: float | None
    episode_returns: tuple[float, ...]
    train_seconds: float
    evaluation_seconds: float
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def non_finite(self) -> str | None:
        """The names of the metrics that are NaN or infinite; None if all are finite."""
        return non_finite(self.metrics)

    def to_row(self) -> dict[str, Any]:
        """Return one flat row of `evaluations.parquet`."""
        row: dict[str, Any] = {name: getattr(self, name) for name in EVALUATION}
        return row | {"episode_returns": list(self.episode_returns)} | self.metrics

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Evaluation:
        """Return the evaluation from which `to_row` made the row."""
        result = {name: row[name] for name in EVALUATION if name != "non_finite"}
        result["episode_returns"] = tuple(row["episode_returns"])
        return cls(**result, metrics={key: row[key] for key in row if key not in EVALUATION})


def episode_seeds(evaluation_seed: int, trial_seed: int, episodes: int) -> tuple[int, ...]:
    """Return the seed of each episode, which is the same in every evaluation of a trial.

    Changes in a learning curve are then due to the policy only, and the curve is reproducible.
    """
    sequence = np.random.SeedSequence((evaluation_seed, trial_seed))
    return tuple(int(seed) for seed in sequence.generate_state(episodes))


class Episodes(NamedTuple):
    """Holds the return of each episode, and the total time of all in seconds."""

    returns: tuple[float, ...]
    seconds: float


class Evaluator:
    """Runs `episodes` copies of an environment in lock-step; they are reset at each evaluation."""

    def __init__(self, environment: EnvironmentSpec | str, episodes: int) -> None:
        self.spec = as_spec(environment)
        self.environments = [make_environment(self.spec) for _ in range(episodes)]

    def evaluate(
        self,
        policy: Callable[[NDArray[np.floating]], NDArray[np.float32]],
        seeds: Sequence[int],
    ) -> Episodes:
        """Run one episode from each seed; its return is NaN if an action of the policy was not finite.

        Raises:
            HarnessError: if the environment raises, or a reward or an observation is not finite.
        """
        started = time.perf_counter()
        starts = zip(self.environments, seeds, strict=True)
        observations = np.stack([environment.reset(seed=seed)[0] for environment, seed in starts])
        # Some tasks return integers at reset and fractions later.
        observations = observations.astype(np.result_type(observations, np.float32), copy=False)
        returns = np.zeros(len(self.environments))
        running = list(range(len(self.environments)))
        step = 0
        while running:
            step += 1
            # Ended episodes are included, because rounding in a matrix product may depend on its shape.
            actions = policy(observations)
            finite = np.asarray(np.isfinite(actions).all(axis=1))
            still_running = []
            for episode in running:
                if not finite[episode]:
                    if not np.isfinite(observations[episode]).all():
                        raise self._error(
                            "returned an observation that is not finite", seeds[episode], step - 1
                        )
                    returns[episode] = np.nan
                    continue
                try:
                    result = self.environments[episode].step(actions[episode])
                except Exception as error:
                    raise self._error(f"raised {typed_line(error)}", seeds[episode], step) from error
                observations[episode], reward, terminated, truncated, _ = result
                if not math.isfinite(reward := float(reward)):
                    raise self._error(f"returned the reward {reward}", seeds[episode], step)
                returns[episode] += reward
                if not (terminated or truncated):
                    still_running.append(episode)
            running = still_running
        return Episodes(tuple(map(float, returns)), time.perf_counter() - started)

    def _error(self, what: str, seed: int, step: int) -> HarnessError:
        return HarnessError(
            f"environment {self.spec}: {what} in step {step} of the episode with seed {seed}; "
            "fix the environment"
        )

    def close(self) -> None:
        """Close the environments."""
        for environment in self.environments:
            environment.close()


class PendingEpisodes(Protocol):
    """Episodes that may still be running."""

    def result(self) -> Episodes:
        """Wait for the episodes to end; raise the exception that an episode raised, if any."""


class EvaluationService(Protocol):
    """Runs the episodes of policies, either at once or elsewhere while training continues."""

    def submit(
        self, environment: EnvironmentSpec, policy: Policy, seeds: Sequence[int], expected_seconds: float
    ) -> PendingEpisodes:
        """Run one episode from each seed; the environment and the policy may be sent to other processes.

        `expected_seconds`, how long the episodes took last time, balances work among processes.
        """


class LocalEvaluation:
    """Runs episodes in this process, with one evaluator for each environment and number of episodes."""

    def __init__(self) -> None:
        self._evaluators: dict[tuple[EnvironmentSpec, int], Evaluator] = {}

    def run(self, environment: EnvironmentSpec, policy: Policy, seeds: Sequence[int]) -> Episodes:
        """Run one episode from each seed."""
        key = environment, len(seeds)
        if key not in self._evaluators:
            self._evaluators[key] = Evaluator(environment, len(seeds))
        return self._evaluators[key].evaluate(policy, seeds)

    def submit(
        self,
        environment: EnvironmentSpec,
        policy: Policy,
        seeds: Sequence[int],
        expected_seconds: float = 0.0,
    ) -> PendingEpisodes:
        """Run one episode from each seed at once, before training continues."""
        ended: Future[Episodes] = Future()
        try:
            ended.set_result(self.run(environment, policy, seeds))
        except Exception as error:
            ended.set_exception(error)
        return ended

    def close(self) -> None:
        """Close all environments."""
        for evaluator in self._evaluators.values():
            evaluator.close()
