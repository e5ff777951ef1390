"""Collects data by D4RL's recipe: from a random policy, and from stages of SAC's training."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from math import inf
from typing import Any, NamedTuple

from harness.datasets.collect.recipe import KINDS, Facts, Recipe, versions
from harness.datasets.collect.roll_outs import (
    BehaviourPolicy,
    Recorder,
    Step,
    action_box,
    episode_returns,
    roll_out,
    sampled,
    uniform,
)
from harness.datasets.progress import Advance
from harness.environments.factory import Environment, make
from harness.errors import HarnessError, needs_extra

MEDIUM_FRACTION = 1 / 3
PACKAGES = ("gymnasium", "stable-baselines3", "torch", "numpy")


class Agent(NamedTuple):
    """A policy that collects data, and its description for the files."""

    act: BehaviourPolicy
    description: str


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
        count = self.recipe.transitions
        match kind:
            case "random":
                agent = self.random
            case "medium":
                agent = self.training.medium
            case "expert":
                agent = self.training.expert
            case "medium-replay":
                steps = self.training.recorder.whole_episodes(self.training.medium_step)
                until = self.training.medium.description
                return steps, f"all steps that SAC took in training up to: {until}"
            case _:
                medium, expert = self.training.medium, self.training.expert
                steps = self._roll_out(medium, count // 2, kind) + self._roll_out(expert, count // 2, kind)
                return steps, f"half {medium.description}, half {expert.description}"
        return self._roll_out(agent, count, kind), agent.description

    def _roll_out(self, agent: Agent, count: int, kind: str) -> list[Step]:
        progress = partial(self.progress, f"collecting {kind}")
        return roll_out(self.recipe.environment, agent.act, count, self.recipe.seed_of(kind), progress)

    def _mean_return(self, agent: Agent, what: str) -> float:
        recipe, progress = self.recipe, partial(self.progress, f"measuring the {what}")
        episodes, seed = recipe.reference_episodes, recipe.seed_of(what)
        return float(episode_returns(recipe.environment, agent.act, episodes, seed, progress).mean())
