"""Collects data by D4RL's recipe: from a random policy, and from stages of SAC's training."""

from __future__ import annotations

from functools import partial

from harness.datasets.collect.recipe import KINDS, Facts, Recipe, versions
from harness.datasets.collect.roll_outs import Agent, Step, action_box, episode_returns, roll_out, uniform
from harness.datasets.collect.sac import Training
from harness.datasets.progress import Advance
from harness.environments.factory import Environment

PACKAGES = ("gymnasium", "stable-baselines3", "torch", "numpy")


class SacCollector:
    """Trains SAC in `prepare`, unless only random data is wanted, and rolls out its stages."""

    kinds: tuple[str, ...] = KINDS

    def __init__(self, recipe: Recipe, environment: Environment, progress: Advance) -> None:
        self.recipe, self.progress = recipe, progress
        actions = action_box(environment, recipe.environment)
        self.random = Agent(uniform(actions, recipe.seed_of("random policy")), "uniformly random actions")

    def prepare(self, kinds: tuple[str, ...]) -> Facts:
        """Train SAC, choose its medium stage, and return the reference scores."""
        if set(kinds) == {"random"}:
            return versions(*PACKAGES)
        self.training = Training(self.recipe, self.progress)
        random_return = self._mean_return(self.random, "random policy")
        self.training.run()
        expert_return = self._mean_return(self.training.expert, "expert")
        if any(kind.startswith("medium") for kind in kinds):
            self.training.choose_medium(random_return, expert_return)
        scores = {"reference_min_score": random_return, "reference_max_score": expert_return}
        return scores | versions(*PACKAGES)

    def collect(self, kind: str) -> tuple[list[Step], str]:
        """Return the steps of one kind, and a description of the policy that took them."""
        if kind == "random":
            return self._from(self.random, kind)
        if kind == "expert":
            return self._from(self.training.expert, kind)
        medium = self.training.medium
        if kind == "medium":
            return self._from(medium, kind)
        if kind == "medium-replay":
            steps = self.training.recorder.whole_episodes(self.training.medium_step)
            return steps, f"all steps that SAC took in training up to: {medium.description}"
        expert, half = self.training.expert, self.recipe.transitions // 2
        steps = self._roll_out(medium, half, kind) + self._roll_out(expert, half, kind)
        return steps, f"half {medium.description}, half {expert.description}"

    def _from(self, agent: Agent, kind: str) -> tuple[list[Step], str]:
        return self._roll_out(agent, self.recipe.transitions, kind), agent.description

    def _roll_out(self, agent: Agent, count: int, kind: str) -> list[Step]:
        progress = partial(self.progress, f"collecting {kind}")
        return roll_out(self.recipe.environment, agent.act, count, self.recipe.seed_of(kind), progress)

    def _mean_return(self, agent: Agent, what: str) -> float:
        recipe, progress = self.recipe, partial(self.progress, f"measuring the {what}")
        episodes, seed = recipe.reference_episodes, recipe.seed_of(what)
        return float(episode_returns(recipe.environment, agent.act, episodes, seed, progress).mean())
