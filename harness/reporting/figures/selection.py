"""Selection among the policies of a search: expected online performance, and its cost in episodes."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.catalogue import OFFLINE_RULES, Score
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.style import COLORS, Look, looks
from harness.reporting.results import Results
from harness.reporting.selection.bandit import EXPLORATION, REPETITIONS, Rule, select_by_episodes
from harness.reporting.selection.candidates import Candidates, all_candidates, episode_returns, over_datasets
from harness.reporting.selection.online import bootstrap_interval, performance_over_datasets
from harness.reporting.selection.rules import policy_merits, ranked

MEAN = "Mean over datasets"
EPISODES_PER_POLICY = 10
"""The range of the figure of selection costs: episodes for each policy of the search."""
LEVELS: dict[str, tuple[str, tuple[float, ...]]] = {
    "fqe": (COLORS[2], (6, 2)),
    "td_error": (COLORS[4], (2, 1.5)),
}
"""The color and dashes of each offline rule."""
BANDITS: tuple[tuple[Rule, str, str, str], ...] = (
    ("ucb", "UCB", COLORS[0], "-"),
    ("uniform", "Uniform", COLORS[1], "--"),
)


def online_performance(material: Material) -> Drawing:
    """Draw a panel per dataset, and one for their mean: the expected best of k deployed policies."""
    results = material.results.ungrouped
    candidates = all_candidates(results, material.score)
    together = over_datasets(results, candidates)
    names = [*dict.fromkeys(each.dataset for each in candidates), *([MEAN] if together else [])]
    look = looks(list(results.searches), results.titles)
    figure, axes = layout.panels(len(names))
    handles: dict[str, Artist] = {}
    for axis, name in zip(axes, names, strict=True):
        scores = (
            together
            if name == MEAN
            else {each.search: each.scores[..., np.newaxis] for each in candidates if each.dataset == name}
        )
        for search, matrix in scores.items():
            handles[search] = _draw_performance(axis, matrix, look[search])
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    titles = [name if name == MEAN else results.title(name) for name in names]
    labels = ["Normalized score" if name == MEAN else results.measure(name) for name in names]
    layout.label_panels(figure, axes, titles, labels, "Policies deployed (k)", handles)
    mean = " Mean over datasets: k policies are deployed on each." if together else ""
    return Drawing(
        figure,
        "Expected online performance: the expected score of the best of k policies, drawn uniformly with "
        "replacement from the samples of a search (arXiv 2110.04156), shaded the 95 % bootstrap interval "
        f"over samples and seeds.{mean} {captions.of_sample(results, material.score)}",
        results,
    )


def selection_cost(material: Material) -> Drawing:
    """Draw a panel per search and dataset: the true score of the selected policy against episodes used."""
    results = material.results.ungrouped
    candidates = all_candidates(results, material.score)
    figure, axes = layout.panels(len(candidates), columns=min(3, len({each.dataset for each in candidates})))
    handles: dict[str, Artist] = {}
    for axis, each in zip(axes, candidates, strict=True):
        handles |= _draw_cost(axis, results, each, material.score)
    titles = [f"{results.title(each.dataset)}, {results.title(each.search)}" for each in candidates]
    labels = [results.measure(each.dataset) for each in candidates]
    layout.label_panels(figure, axes, titles, labels, "Environment episodes used for selection", handles)
    return Drawing(
        figure,
        "Score of the selected policy against the episodes in the environment that its selection used. Every "
        "policy of a search that was trained with one seed is an arm of a bandit, and each pull one episode, "
        "whose return is drawn from those recorded (as Jackson et al. 2025, with all policies): UCB "
        f"(exploration {EXPLORATION:g}) and the same number of episodes for each policy; mean over "
        f"{REPETITIONS} repetitions, which take the seeds in turn, shaded the quartiles. Levels, means over "
        "seeds: the policy with the best estimate from data alone, the mean policy, and the best in "
        f"hindsight. {captions.of_sample(results, material.score)}",
        results,
    )


def _draw_performance(axis: Axes, scores: NDArray[np.float64], look: Look) -> Artist:
    curve, (low, high) = performance_over_datasets(scores), bootstrap_interval(scores)
    budgets = np.arange(1, len(curve) + 1)
    axis.fill_between(budgets, low, high, color=look.color, alpha=0.18, linewidth=0)
    (line,) = axis.plot(budgets, curve, **look.curve, markersize=3, markevery=max(1, len(curve) // 6))
    return line


def _draw_cost(axis: Axes, results: Results, each: Candidates, score: Score) -> dict[str, Artist]:
    returns = episode_returns(results, each, score)
    scale = 100.0 if each.dataset in results.normalized else None
    count = EPISODES_PER_POLICY * returns.shape[1]
    episodes = np.arange(1, count + 1)
    handles: dict[str, Artist] = {}
    for bandit, label, color, line in BANDITS:
        mean, quartiles = select_by_episodes(returns, count, bandit, scale)
        axis.fill_between(episodes, *quartiles, color=color, alpha=0.12, linewidth=0)
        (handles[label],) = axis.plot(episodes, mean, color=color, linestyle=line, label=label)
    truth = returns.mean(axis=2)
    for rule, title in OFFLINE_RULES.items():
        label, (color, dashes) = f"Selected by {title}", LEVELS[rule]
        if (level := _offline_level(results, each, rule, truth)) is not None:
            handles[label] = axis.axhline(level, color=color, dashes=dashes, linewidth=1.1, label=label)
    for label, level, dashes in (
        ("Best in hindsight", truth.max(axis=1).mean(), (1, 1)),
        ("Mean policy", truth.mean(), (1, 3)),
    ):
        handles[label] = axis.axhline(level, color="0.35", dashes=dashes, linewidth=0.9, label=label)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    return handles


def _offline_level(results: Results, each: Candidates, rule: str, truth: NDArray[np.float64]) -> float | None:
    """Return the mean over seeds of the score, [seeds, n], of the policy with the best estimate, if any."""
    try:
        merit = policy_merits(results, each, rule)
    except HarnessError:
        return None
    first = [ranked(of_seed)[0] for of_seed in merit.T]
    return float(np.mean([scores[at] for scores, at in zip(truth, first, strict=True)]))
