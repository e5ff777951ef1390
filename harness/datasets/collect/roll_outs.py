"""Rolls out policies in parallel copies of a task and records steps and returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray
from typing_extensions import override

from harness.datasets.episode_ends import EpisodeEnds
from harness.datasets.recording import Recording
from harness.environments.factory import Environment, make, require_time_limit
from harness.errors import HarnessError

PARALLEL_EPISODES = 20

BehaviourPolicy: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""Maps observations [n, S] to actions [n, A]."""


class Step(NamedTuple):
    """One step in an environment."""

    observation: NDArray[Any]
    action: NDArray[Any]
    reward: float
    next_observation: NDArray[Any]
    terminal: bool
    timeout: bool
    """Whether the episode was truncated after a step that is not terminal."""


class Recorder(gymnasium.Wrapper[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]):
    """Records every step in the environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.steps: list[Step] = []
        self._observation: NDArray[Any]

    @override
    def reset(self, **options: Any) -> tuple[NDArray[Any], dict[str, Any]]:
        observation, info = self.env.reset(**options)
        self._observation = np.array(observation)  # some tasks change their observation array in place
        return observation, info

    @override
    def step(self, action: NDArray[Any]) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        timeout, following = truncated and not terminated, np.array(observation)
        step = Step(self._observation, np.array(action), float(reward), following, terminated, timeout)
        self.steps.append(step)
        self._observation = following
        return observation, float(reward), terminated, truncated, info

    def whole_episodes(self, count: int | None = None) -> list[Step]:
        """Return the steps of the whole episodes within the first `count` steps, at least of one.

        Raises:
            HarnessError: if there is none.
        """
        steps = self.steps[:count]
        while steps and not (steps[-1].terminal or steps[-1].timeout):
            steps.pop()
        if not steps:
            raise HarnessError("no complete episode was collected; raise --transitions")
        return steps


def as_recording(steps: Sequence[Step], environment: str) -> Recording:
    """Return the steps of whole episodes as arrays."""
    columns = Step(*zip(*steps, strict=True))
    terminals, timeouts = np.array(columns.terminal, np.bool_), np.array(columns.timeout, np.bool_)
    last = terminals | timeouts
    return Recording(
        environment,
        observations=np.asarray(columns.observation, np.float32),
        actions=np.asarray(columns.action, np.float32),
        rewards=np.asarray(columns.reward, np.float32),
        next_observations=np.asarray(columns.next_observation, np.float32),
        ends=EpisodeEnds(terminals, timeouts, last, np.ones_like(last), ordered=True),
    )


def uniform(actions: Box, seed: int) -> BehaviourPolicy:
    """Return a policy that draws actions uniformly from a box."""
    generator = np.random.default_rng(seed)

    def act(observations: NDArray[Any]) -> NDArray[Any]:
        drawn = generator.uniform(actions.low, actions.high, (len(observations), *actions.shape))
        return drawn.astype(actions.dtype)

    return act


def sampled(model: Any) -> BehaviourPolicy:
    """Return the policy of an agent or policy of stable-baselines3, whose actions are sampled."""
    return lambda observations: model.predict(observations, deterministic=False)[0]


def roll_out(
    environment: str,
    policy: BehaviourPolicy,
    count: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[Step]:
    """Collect at least `count` steps in whole episodes, an equal share in each copy of the task."""
    copies = max(1, min(PARALLEL_EPISODES, count // 200))
    share = -(-count // copies)
    recorders = [Recorder(make(environment)) for _ in range(copies)]

    def wants_more(recorder: Recorder) -> bool:
        progress(min(sum(len(each.steps) for each in recorders), count), count)
        return len(recorder.steps) < share

    _play(recorders, policy, seed, wants_more)
    return [step for recorder in recorders for step in recorder.whole_episodes()]


def _play(
    recorders: list[Recorder], policy: BehaviourPolicy, seed: int, wants_more: Callable[[Recorder], bool]
) -> None:
    """Take steps in all copies of a task; those that want more start another episode when one ends."""
    observations = [recorder.reset(seed=seed + i)[0] for i, recorder in enumerate(recorders)]
    running = list(range(len(recorders)))
    while running:
        actions = policy(np.stack([observations[i] for i in running]))
        for i, action in zip(tuple(running), actions, strict=True):
            observations[i], _, terminated, truncated, _ = recorders[i].step(action)
            if terminated or truncated:
                if wants_more(recorders[i]):
                    observations[i], _ = recorders[i].reset()
                else:
                    running.remove(i)


def episode_returns(
    environment: str,
    policy: BehaviourPolicy,
    episodes: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> NDArray[np.float64]:
    """Return [episodes] undiscounted returns, an equal share from each copy of the task."""
    returns: list[float] = []
    for first in range(0, episodes, PARALLEL_EPISODES):
        count = min(PARALLEL_EPISODES, episodes - first)
        recorders = [Recorder(make(environment)) for _ in range(count)]
        _play(recorders, policy, seed + first, lambda _: False)
        returns.extend(sum(step.reward for step in recorder.steps) for recorder in recorders)
        progress(len(returns), episodes)
    return np.array(returns)


def action_box(environment: Environment, name: str) -> Box:
    """Return the action space of a task; reject actions or observations that SAC cannot be trained with."""
    observations, actions = environment.observation_space, environment.action_space
    require_time_limit(environment, name)
    if not (isinstance(actions, Box) and actions.is_bounded()):
        raise HarnessError(f"environment {name}: collect needs a bounded Box of actions, not {actions}")
    if not (isinstance(observations, Box) and len(observations.shape) == 1):
        raise HarnessError(f"environment {name}: collect needs flat observations, not {observations}")
    return actions
