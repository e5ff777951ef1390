"""Evaluates saved policies again: in their own environment or another one, over any number of episodes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.columns import EVALUATION
from harness.environments.factory import Environment
from harness.environments.packages import require_trusted, require_trusted_wrapper
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.policies.files import SavedPolicy
from harness.scores import standard_error
from harness.training.environment import make_environment
from harness.training.evaluation import EvaluationService, Evaluators, episode_seeds

BATCH = 10
"""Episodes that run in lock-step if a policy file does not record the number of its own evaluations."""


@dataclass(frozen=True)
class PolicyEvaluation:
    """Holds what the episodes of one policy returned.

    Attributes:
        policy: what was evaluated.
        environment: where.
        returns: one for each episode.
        seconds: the time that the episodes took, summed over processes.
        reproduced: whether the first episodes returned exactly what the policy file records of the same
            episodes; None where it records none.
    """

    policy: SavedPolicy
    environment: EnvironmentSpec
    returns: tuple[float, ...]
    seconds: float
    reproduced: bool | None

    @property
    def return_mean(self) -> float:
        """The mean of the returns."""
        return float(np.mean(self.returns))

    @property
    def return_std(self) -> float:
        """The standard deviation of the returns, ddof 0."""
        return float(np.std(self.returns))

    @property
    def standard_error(self) -> float:
        """The standard error of the mean return over episodes; NaN for a single episode."""
        return standard_error(np.array(self.returns))

    @property
    def normalized_score(self) -> float | None:
        """The normalized score; None without reference returns for this very environment."""
        info = self.policy.info
        if info.reference is None or self.environment != recorded_environment(self.policy):
            return None
        return info.normalize(self.return_mean)

    def to_row(self) -> dict[str, Any]:
        """Return a row with the columns of `evaluations.parquet`."""
        info = self.policy.info
        values = {name: getattr(self, name, None) for name in EVALUATION}
        return values | {
            "algorithm": info.variant,
            "dataset": info.dataset,
            "seed": info.seed,
            "step": info.step,
            "episode_returns": list(self.returns),
            "evaluation_seconds": self.seconds,
        }


class PolicyEpisodes:
    """Runs the episodes of one policy, in batches of as many as its own evaluations had.

    The bits of an action may depend on how many are computed together, so these batches repeat the recorded
    evaluation exactly.

    Args:
        policy: what to evaluate.
        environment: where.
        episodes: how many.
        seed: with the trial's seed it fixes the starts; by default the recorded one.
        service: runs the episodes.
    """

    def __init__(
        self,
        policy: SavedPolicy,
        environment: EnvironmentSpec,
        episodes: int,
        seed: int | None,
        service: EvaluationService,
    ) -> None:
        info = policy.info
        self._policy, self._environment = policy, environment
        self._is_recorded = (
            bool(info.episode_returns)
            and episodes >= len(info.episode_returns)
            and seed in (None, info.evaluation_seed)
            and environment == recorded_environment(policy)
        )
        seeds = episode_seeds(info.evaluation_seed if seed is None else seed, info.seed, episodes)
        size = len(info.episode_returns) or BATCH
        self._pending = [
            service.submit(environment, policy, seeds[at : at + size], 1.0) for at in range(0, episodes, size)
        ]

    def result(self) -> PolicyEvaluation:
        """Wait for the episodes to end.

        Raises:
            HarnessError: when the environment raised, or the actions of the policy were not finite.
        """
        ended = [pending.result() for pending in self._pending]
        returns = tuple(value for episodes in ended for value in episodes.returns)
        if not all(map(math.isfinite, returns)):
            raise HarnessError(f"{self._policy.source}: the actions of the policy are not finite")
        recorded = self._policy.info.episode_returns
        return PolicyEvaluation(
            self._policy,
            self._environment,
            returns,
            sum(episodes.seconds for episodes in ended),
            returns[: len(recorded)] == recorded if self._is_recorded else None,
        )


def evaluate_policy(
    policy: SavedPolicy, episodes: int = 100, seed: int | None = None, environment: str | None = None
) -> PolicyEvaluation:
    """Evaluate a saved policy in this process.

    Args:
        policy: what `harness.load_policy` returned.
        episodes: how many.
        seed: with the trial's seed it fixes the starts; by default the recorded one.
        environment: the gymnasium id of another environment than the policy's own.

    Raises:
        HarnessError: when the environment cannot be made, is not trusted or has other sizes.
    """
    spec = environment_for(policy, environment)
    require_sizes([policy], [spec])
    with closing(Evaluators()) as here:
        return PolicyEpisodes(policy, spec, episodes, seed, here).result()


def recorded_environment(policy: SavedPolicy) -> EnvironmentSpec:
    """Return the environment that a policy file names, whether or not it can be trusted.

    Raises:
        HarnessError: when the file describes none.
    """
    try:
        spec = EnvironmentSpec.of(policy.info.environment, policy.info.environment_changes)
        hash(spec)
    except (TypeError, ValueError, AttributeError):
        raise HarnessError(
            f"{policy.source}: cannot read the changes to its environment {policy.info.environment}; give an "
            "environment with --environment"
        ) from None
    return spec


def environment_for(policy: SavedPolicy, named: str | None = None) -> EnvironmentSpec:
    """Return the environment of a policy, or the one that the user names instead.

    A policy file may come from anyone, so it chooses no code: an environment or wrapper of another module
    than gymnasium's and this package's must be named by the user.

    Raises:
        HarnessError: when the policy file names other modules.
    """
    if named not in (None, policy.info.environment):
        keys = policy.info.environment_changes.get("observation_keys", ())
        return EnvironmentSpec(str(named)).selecting(tuple(map(str, keys)) if isinstance(keys, list) else ())
    recorded = recorded_environment(policy)
    if named is None:
        require_trusted(recorded.id, policy.source, "--environment ")
    for wrapper in recorded.wrappers:
        require_trusted_wrapper(wrapper.entry_point, recorded.id, policy.source)
    return recorded


def require_sizes(policies: Sequence[SavedPolicy], environments: Sequence[EnvironmentSpec]) -> None:
    """Make each environment once, and check that the observations and actions of its policies fit.

    Raises:
        HarnessError: when an environment cannot be made or has other sizes.
    """
    for spec in dict.fromkeys(environments):
        with closing(make_environment(spec)) as environment:
            for policy, its in zip(policies, environments, strict=True):
                if its == spec:
                    require_size(policy, environment, spec)


def require_size(policy: SavedPolicy, environment: Environment, spec: EnvironmentSpec) -> None:
    """Check that the observations and actions of a policy fit its environment.

    Raises:
        HarnessError: when they have other sizes.
    """
    for what, size, space in (
        ("observations", policy.observation_size, environment.observation_space),
        ("actions", policy.action_size, environment.action_space),
    ):
        if space.shape != (size,):
            raise HarnessError(
                f"environment {spec}: its {what} have shape {space.shape}, but those of the policy "
                f"{policy.source} have size {size}; give a matching one with --environment"
            )
