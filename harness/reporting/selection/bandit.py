"""Selects a policy by episodes in the environment, one episode of one policy at a time."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.reporting.statistics import RANDOM_SEED

REPETITIONS = 500
EXPLORATION = 2.0
"""Unifloral's `ucb_alpha`, of UCB1 (Auer et al. 2002)."""

Rule = Literal["ucb", "uniform"]


def select_by_episodes(
    returns: NDArray[np.float64],
    episodes: int,
    rule: Rule = "ucb",
    scale: float | None = None,
    repetitions: int = REPETITIONS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Simulate the selection of a policy as a bandit, as Unifloral does (Jackson et al. 2025).

    Each policy is an arm, and each pull one episode, whose return is drawn with replacement from those that
    were recorded of the policy. Every policy is tried once, in random order; then `ucb` takes the one with
    the largest mean + sqrt(2 ln t / pulls), and `uniform` cycles. The policy with the largest mean so far
    is the one deployed. Unifloral draws 20 policies in each repetition; here a group has all its policies.

    Args:
        returns: [groups, policies, recorded episodes], all finite; their mean is the policy's true score. A
            group is, for instance, the policies of one seed; the repetitions take the groups in turn.
        scale: the divisor of returns for UCB, which expects them in [0, 1]: 100 for normalized scores; by
            default the range of the returns.

    Returns:
        The true score of the policy deployed after each episode: mean [episodes], quartiles [2, episodes].
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
    return deployed.mean(axis=0), np.quantile(deployed, (0.25, 0.75), axis=0)
