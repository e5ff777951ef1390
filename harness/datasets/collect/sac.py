"""Trains SAC online and keeps the policies of every stage and all steps."""

from __future__ import annotations

from copy import deepcopy
from math import inf
from typing import Any

from harness.datasets.collect.recipe import Recipe
from harness.datasets.collect.roll_outs import Agent, Recorder, episode_returns, sampled
from harness.datasets.progress import Advance
from harness.environments.factory import make
from harness.errors import HarnessError, needs_extra

MEDIUM_FRACTION = 1 / 3


class Training:
    """SAC trained online, with a copy of its actor from every evaluation."""

    def __init__(self, recipe: Recipe, progress: Advance) -> None:
        with needs_extra("collect", "medium and expert data needs stable-baselines3, which trains SAC"):
            from stable_baselines3 import SAC
            from stable_baselines3.common.logger import Logger
        self.recipe, self.progress = recipe, progress
        self.recorder = Recorder(make(recipe.environment))
        self.model = SAC(
            "MlpPolicy",
            self.recorder,
            learning_rate=recipe.learning_rate,
            train_freq=recipe.train_every,
            buffer_size=recipe.training_steps,
            seed=recipe.seed % 2**32,  # all that numpy's global generator takes
            device="cpu",
        )
        # Its default logger leaves an empty folder in the temporary directory at each call of `learn`.
        self.model.set_logger(Logger(folder=None, output_formats=[]))
        self.actors: dict[int, dict[str, Any]] = {}
        self.returns: dict[int, float] = {}

    def run(self) -> None:
        """Train to the last step of the recipe and keep the actors of all stages."""
        recipe = self.recipe
        while (step := self.model.num_timesteps) < recipe.training_steps:
            last = f", return {self.returns[step]:.0f}" if step in self.returns else ""
            self.progress(f"training SAC{last}", step, recipe.training_steps)
            self.model.learn(
                min(recipe.evaluation_interval, recipe.training_steps - step), reset_num_timesteps=False
            )
            self._evaluate(self.model.num_timesteps)
        self.progress("training SAC", recipe.training_steps, recipe.training_steps)

    def _evaluate(self, step: int) -> None:
        state = self.model.actor.state_dict()
        self.actors[step] = {key: value.clone() for key, value in state.items()}
        seed = self.recipe.seed_of("evaluation")
        returns = episode_returns(
            self.recipe.environment, self._agent(step).act, self.recipe.evaluation_episodes, seed
        )
        self.returns[step] = float(returns.mean())

    def choose_medium(self, random_return: float, expert_return: float) -> None:
        """Choose the stage nearest to a third of the way, up to the first that is two thirds there."""
        whole_way = max(0.0, expert_return - random_return) or inf
        way = {step: (value - random_return) / whole_way for step, value in self.returns.items()}
        late = next((step for step in way if way[step] > 2 * MEDIUM_FRACTION), max(way))
        self.medium_step = min(
            (step for step in way if step <= late), key=lambda step: abs(way[step] - MEDIUM_FRACTION)
        )
        if abs(way[self.medium_step] - MEDIUM_FRACTION) > 0.15:
            raise HarnessError(
                f"no stage of SAC's training is near a third of the way from the random policy's return "
                f"({random_return:.1f}) to the expert's ({expert_return:.1f}): "
                "train longer or evaluate more often"
            )

    @property
    def medium(self) -> Agent:
        """Return the agent of the medium stage; it samples its actions."""
        return self._agent(self.medium_step)

    @property
    def expert(self) -> Agent:
        """Return the agent at the end of training; it samples its actions."""
        return self._agent(max(self.actors))

    def _agent(self, step: int) -> Agent:
        policy = deepcopy(self.model.policy)
        policy.actor.load_state_dict(self.actors[step])
        return Agent(sampled(policy), f"SAC after {step} steps, actions sampled")
