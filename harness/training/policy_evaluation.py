"""Evaluates saved policies, in their own environment or another one, over any number of episodes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.environments.factory import Environment
from harness.environments.packages import require_trusted, require_trusted_wrapper
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.policies.files import SavedPolicy
from harness.scores import standard_error
from harness.training.environment import make_environment, require_sizes
from harness.training.evaluation import EvaluationService, LocalEvaluation, episode_seeds

BATCH = 10
"""Episodes that run in lock-step if a policy file does not record an evaluation."""


@dataclass(frozen=True)
class PolicyEvaluation:
    """Holds the episode returns of one policy.

    Attributes:
        policy: the evaluated policy.
        environment: the environment of the episodes.
        returns: one return per episode.
        seconds: the time that the episodes took, summed over processes.
        reproduced: whether the first episodes have exactly the returns that the policy file records for them;
            None if it records none.
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
        """The normalized score; None without reference returns for this environment."""
        info = self.policy.info
        if info.reference is None or self.environment != recorded_environment(self.policy):
            return None
        return info.normalize(self.return_mean)

    def to_row(self) -> dict[str, Any]:
        """Return a row with those columns of `evaluations.parquet` that do not describe training."""
        info = self.policy.info
        return {
            "algorithm": info.variant,
            "dataset": info.dataset,
            "seed": info.seed,
            "step": info.step,
            "return_mean": self.return_mean,
            "return_std": self.return_std,
            "normalized_score": self.normalized_score,
            "episode_returns": list(self.returns),
            "evaluation_seconds": self.seconds,
        }


class PolicyEpisodes:
    """Runs the episodes of one policy, in batches of the size of its recorded evaluation.

    Rounding may depend on how many actions are computed together; with equal batches the recorded evaluation
    is reproduced exactly. The start states follow from the seed of the trial and `seed`, by default the
    recorded one.
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
        """Wait for the episodes; raise a HarnessError if an action of the policy was not finite."""
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
        policy: a policy from `harness.load_policy`.
        episodes: the number of episodes.
        seed: determines the start states, together with the seed of the trial; by default the recorded one.
        environment: the gymnasium id of an environment to use instead of the policy's own.

    Raises:
        HarnessError: if the environment cannot be created, is not trusted or does not fit the policy.
    """
    spec = environment_for(policy, environment)
    require_fit([policy], [spec])
    with closing(LocalEvaluation()) as here:
        return PolicyEpisodes(policy, spec, episodes, seed, here).result()


def recorded_environment(policy: SavedPolicy) -> EnvironmentSpec:
    """Return the environment that a policy file names, whether or not it is trusted.

    Raises:
        HarnessError: if the description in the file is not valid.
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

    A policy file may come from an untrusted source, so it must not choose the code that runs: only the user
    can name an environment or wrapper outside gymnasium and this package.
    """
    if named not in (None, policy.info.environment):
        keys = policy.info.environment_changes.get("observation_keys", ())
        return EnvironmentSpec(str(named)).selecting(tuple(map(str, keys)) if isinstance(keys, list) else ())
    recorded = recorded_environment(policy)
    if named is None:
        require_trusted(recorded.id, policy.source, option=True)
    for wrapper in recorded.wrappers:
        require_trusted_wrapper(wrapper.entry_point, recorded.id, policy.source)
    return recorded


def require_fit(policies: Sequence[SavedPolicy], environments: Sequence[EnvironmentSpec]) -> None:
    """Create each environment once; raise a HarnessError unless that works and all its policies fit it."""
    for spec in dict.fromkeys(environments):
        with closing(make_environment(spec)) as environment:
            for policy, own in zip(policies, environments, strict=True):
                if own == spec:
                    require_policy_fits(policy, environment, spec)


def require_policy_fits(policy: SavedPolicy, environment: Environment, spec: EnvironmentSpec) -> None:
    """Raise a HarnessError if the observations and actions of a policy do not fit an environment."""
    sizes = policy.observation_size, policy.action_size
    advice = "give a matching one with --environment"
    require_sizes(f"policy {policy.source}", sizes, environment, spec, advice)
