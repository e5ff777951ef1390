"""Measures the speed of training, as `harness bench` does, and environment steps per second in evaluations.

Run `make bench`, or `python -m tests.benchmarks.evaluation`; it writes bench.json and bench.png.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.algorithms.modules import DeterministicActor
from harness.algorithms.policy import policy_of
from harness.algorithms.registry import resolve, usable
from harness.bench import results, steps
from harness.bench.measuring import Measurement, one_core, rates_in_turn
from harness.environments.factory import Environment
from harness.policies import ActionRange
from harness.training.environment import make_environment
from harness.training.evaluation import Evaluator

ENVIRONMENTS = ("Pendulum-v1", "Hopper-v4")
EPISODES = 10


def measure(environments: Sequence[str], seconds: float) -> Iterator[Measurement]:
    """Measure each environment for about this many seconds, with the same policy and episodes."""
    for name in environments:
        with one_core():
            yield _measure(name, seconds)


def _measure(name: str, seconds: float) -> Measurement:
    evaluator = Evaluator(name, EPISODES)
    plain_environment = make_environment(name)
    for environment in (*evaluator.environments, plain_environment):
        _ignore_falls(environment)
    states = evaluator.environments[0].observation_space.shape[0]  # type: ignore[index]
    actions = evaluator.environments[0].action_space.shape[0]  # type: ignore[index]
    max_action = ActionRange.of(evaluator.environments[0].action_space).max_action
    torch.manual_seed(0)
    actor = DeterministicActor(states, 256, 256, actions, max_action=max_action)
    mean, scale = np.zeros(states, np.float32), np.ones(states, np.float32)
    seeds = range(EPISODES)
    _, steps = textbook_evaluation(plain_environment, actor, mean, scale, seeds)
    policy = policy_of(actor, torch.from_numpy(mean), torch.from_numpy(scale))

    def ours() -> float:
        evaluator.evaluate(policy, seeds)
        return steps

    def theirs() -> float:
        return textbook_evaluation(plain_environment, actor, mean, scale, seeds)[1]

    rounds = rates_in_turn({"ours": ours, "textbook": theirs}, seconds, time.thread_time)
    evaluator.close()
    plain_environment.close()
    return Measurement(
        "evaluation",
        f"{name}, {EPISODES} episodes",
        "environment steps/s",
        ours=rounds["ours"].median(),
        textbook=rounds["textbook"].median(),
        ratio=(rounds["ours"] / rounds["textbook"]).median(),
    )


def _ignore_falls(environment: Environment) -> None:
    """Make episodes as long as those of a trained policy, which does not fall."""
    if hasattr(environment.unwrapped, "_terminate_when_unhealthy"):
        environment.unwrapped._terminate_when_unhealthy = False


def textbook_evaluation(
    environment: Environment,
    actor: nn.Module,
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    seeds: Sequence[int],
) -> tuple[list[float], int]:
    """Run the episodes one by one with single states; return their returns and the number of steps."""
    returns, steps = [], 0
    for seed in seeds:
        state, _ = environment.reset(seed=seed)
        done, episode_return = False, 0.0
        while not done:
            normalized = (np.array(state).reshape(1, -1) - mean) / scale
            action = actor(torch.FloatTensor(normalized)).detach().numpy().flatten()
            state, reward, terminated, truncated, _ = environment.step(action)
            episode_return += float(reward)
            steps += 1
            done = terminated or truncated
        returns.append(episode_return)
    return returns, steps


def main() -> None:
    """Measure all algorithms in fp32, fused ones in bf16 as well, and the evaluation of policies."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.evaluation", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("results/bench"), metavar="DIR")
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of each measurement")
    options = parser.parse_args()
    fused = [name for name in usable() if resolve(name).fused is not None]
    cases = steps.cases(usable(), (1,), ("fp32",), "cpu") + steps.cases(fused, (1,), ("bf16",), "cpu")
    training = steps.measure(cases, options.seconds)
    results.show(chain(training, measure(ENVIRONMENTS, options.seconds)), options.output)


if __name__ == "__main__":
    main()
