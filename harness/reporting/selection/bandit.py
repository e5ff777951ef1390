"""Selects a policy by episodes in the environment, one episode of one policy at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.reporting.statistics import RANDOM_SEED

REPETITIONS = 500
EXPLORATION = 2.0
"""Unifloral's `ucb_alpha`, of UCB1 (Auer et al. 2002)."""

Rule = Literal["ucb", "uniform"]


@dataclass(frozen=True)
class SelectionCurve:
    """The true score of the policy that would be deployed after each episode.

    Attributes:
        mean: [episodes] the mean over repetitions.
        middle: [2, episodes] the quartiles over repetitions.
    """

    mean: NDArray[np.float64]
    middle: NDArray[np.float64]


def select_by_episodes(
    returns: NDArray[np.float64],
    episodes: int,
    rule: Rule = "ucb",
    scale: float | None = None,
    repetitions: int = REPETITIONS,
) -> SelectionCurve:
    """Simulate the selection of a policy as a bandit, as Unifloral does (Jackson et al. 2025).

    Each policy is an arm, and each pull one episode, whose return is drawn with replacement from those that
    were recorded of the policy. Every policy is tried once, in random order; then `ucb` takes the one with
    the largest mean + sqrt(2 ln t / pulls), and `uniform` cycles. The policy with the largest mean so far
    is the one deployed. Unifloral draws 20 policies in each repetition; here a group has all its policies.

    Args:
        returns: [groups, policies, recorded episodes], all finite; their mean is the policy's true score. The
            repetitions take the groups in turn: policies that were trained with one seed, for instance,
            whose episodes had the same starts.
        episodes: the total number of episodes.
        rule: how the policy of the next episode is chosen.
        scale: the divisor of returns for UCB, which expects them in [0, 1]: 100 for normalized scores; by
            default the range of the returns.
        repetitions: the number of simulations.
    """
    generator = np.random.default_rng(RANDOM_SEED)
    groups, arms, recorded = returns.shape
    truth = returns.mean(axis=2)
    scaled = returns / (scale or float(np.ptp(returns)) or 1.0)
    policy_of = generator.permuted(np.tile(np.arange(arms), (repetitions, 1)), axis=1)
    every = np.arange(repetitions)
    group = every % groups
    sums, pulls = np.zeros((repetitions, arms)), np.zeros((repetitions, arms))
    deployed = np.empty((repetitions, episodes))
    means = np.full((repetitions, arms), -np.inf)
    for episode in range(episodes):
        if episode < arms or rule == "uniform":
            arm = np.full(repetitions, episode % arms)
        else:
            arm = (means + np.sqrt(EXPLORATION * np.log(episode + 1) / pulls)).argmax(axis=1)
        drawn = generator.integers(recorded, size=repetitions)
        sums[every, arm] += scaled[group, policy_of[every, arm], drawn]
        pulls[every, arm] += 1
        means[every, arm] = sums[every, arm] / pulls[every, arm]
        deployed[:, episode] = truth[group, policy_of[every, means.argmax(axis=1)]]
    return SelectionCurve(deployed.mean(axis=0), np.quantile(deployed, (0.25, 0.75), axis=0))
