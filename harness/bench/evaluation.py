"""`harness bench evaluation`: environment steps per second while a policy is evaluated."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from harness.bench import options as bench_options
from harness.bench import results
from harness.bench.measuring import Measurement, median, one_core, rates_in_turn
from harness.bench.textbook import Actor, textbook_evaluation
from harness.environments.factory import Environment
from harness.training.environment import action_limit, make_environment
from harness.training.evaluation import Evaluator
from harness.training.policy import Layer, Policy

ENVIRONMENTS = ("Pendulum-v1", "Hopper-v4")
EPISODES = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--environment",
        action="append",
        metavar="ID",
        help=f"a gymnasium id, may be repeated (default: {', '.join(ENVIRONMENTS)})",
    )
    bench_options.add_options(parser, "environment")


def run(options: argparse.Namespace) -> int:
    """
    Raises:
        HarnessError: for an unknown environment.
    """
    return results.show(measure(options.environment or ENVIRONMENTS, options.seconds), options.output)


def measure(environments: Sequence[str], seconds: float) -> Iterator[Measurement]:
    """Each environment for about so many seconds: the same policy, the same episodes."""
    for name in environments:
        with one_core():
            yield _measure(name, seconds)


def _measure(name: str, seconds: float) -> Measurement:
    evaluator = Evaluator(name, EPISODES)
    plain_environment = make_environment(name)
    for environment in (*evaluator.environments, plain_environment):
        _live_on(environment)
    states = evaluator.environments[0].observation_space.shape[0]  # type: ignore[index]
    actions = evaluator.environments[0].action_space.shape[0]  # type: ignore[index]
    max_action = action_limit(evaluator.environments[0])
    torch.manual_seed(0)
    actor = Actor(states, actions, max_action)
    mean, scale = np.zeros(states, np.float32), np.ones(states, np.float32)
    seeds = range(EPISODES)
    _, steps = textbook_evaluation(plain_environment, actor, mean, scale, seeds)
    policy = Policy(_layers(actor), max_action, mean, scale)

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
        ours=median(rounds, lambda rates: rates["ours"]),
        textbook=median(rounds, lambda rates: rates["textbook"]),
        ratio=median(rounds, lambda rates: rates["ours"] / rates["textbook"]),
    )


def _live_on(environment: Environment) -> None:
    """Have episodes last as long as those of a policy that never falls, as a trained one's do."""
    if hasattr(environment.unwrapped, "_terminate_when_unhealthy"):
        environment.unwrapped._terminate_when_unhealthy = False


def _layers(actor: Actor) -> list[Layer]:
    return [
        (layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy())
        for layer in (actor.layer_1, actor.layer_2, actor.layer_3)
    ]
