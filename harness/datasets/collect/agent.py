"""Collects data from an agent that the user has trained with stable-baselines3."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from harness.datasets.collect.recipe import Facts, Recipe, versions
from harness.datasets.collect.roll_outs import Step, action_box, roll_out, sampled
from harness.datasets.collect.sb3_agent import is_stochastic, load_agent
from harness.datasets.progress import Advance
from harness.environments.factory import Environment


class AgentCollector:
    """Rolls out an agent; its actions are sampled, as in D4RL's data, unless its policy is deterministic.

    Raises:
        HarnessError: if the file is not such an agent, or one of another task, or for options of training.
    """

    kinds: tuple[str, ...] = ("agent",)

    def __init__(self, recipe: Recipe, environment: Environment, progress: Advance, agent: Path) -> None:
        recipe.require_no_training("--policy collects from an agent")
        action_box(environment, recipe.environment)
        self.recipe, self.progress, self.agent = recipe, progress, agent
        self.model = load_agent(agent, environment)

    def prepare(self, kinds: tuple[str, ...]) -> Facts:
        """Return the versions of the packages that are used."""
        return versions("gymnasium", "stable-baselines3")

    def collect(self, kind: str) -> tuple[list[Step], str]:
        """Return the steps of the agent, and its description."""
        recipe, progress = self.recipe, partial(self.progress, "collecting")
        self.model.set_random_seed(recipe.seed_of(kind))
        seed = recipe.seed_of("episodes")
        steps = roll_out(recipe.environment, sampled(self.model), recipe.transitions, seed, progress)
        actions = "actions sampled" if is_stochastic(self.model.policy) else "its actions are deterministic"
        name, taken = type(self.model).__name__, self.model.num_timesteps
        return steps, f"{name} of {self.agent.name} after {taken} steps, {actions}"
