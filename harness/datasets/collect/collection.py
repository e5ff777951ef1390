"""Writes the files of one recipe."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from harness.datasets.collect.mazes import collect_mazes, is_maze
from harness.datasets.collect.recipe import KINDS, Progress, Recipe, versions
from harness.datasets.collect.roll_outs import Agent, Step, action_box, episode_returns, roll_out, uniform
from harness.datasets.collect.sac import Training
from harness.environments.factory import make
from harness.threads import one_thread
from harness.writing import write_text

PACKAGES = ("gymnasium", "stable-baselines3", "torch", "numpy")


def collect(recipe: Recipe, directory: Path, progress: Progress = lambda *_: None) -> list[Path]:
    """Write the files and, except for mazes, NAME_reference_scores.json next to them; return their paths.

    Raises:
        HarnessError: if SAC cannot be trained on the task, a file already exists, or training did not get far
            enough for the recipe.
    """
    with closing(make(recipe.environment)) as environment:
        if is_maze(environment):
            return collect_mazes(recipe, directory, progress)
        actions = action_box(environment, recipe.environment)
    recipe = replace(recipe, kinds=recipe.kinds_of(KINDS))
    recipe.require_free(directory, recipe.kinds)
    random = Agent(uniform(actions, recipe.seed_of("random policy")), "uniformly random actions")
    training = None if set(recipe.kinds) == {"random"} else Training(recipe, progress)
    with one_thread():  # SAC on several threads is slower, and not always bit-identical
        return _Collection(recipe, directory, progress, random).write(training)


@dataclass
class _Collection:
    """The files of one recipe, each with a description of how it was collected."""

    recipe: Recipe
    directory: Path
    progress: Progress
    random: Agent
    scores: dict[str, str | float] = field(default_factory=dict)

    def write(self, training: Training | None) -> list[Path]:
        paths = []
        if training is not None:
            random_return = self._mean_return(self.random, "random policy")
            training.run()
            expert_return = self._mean_return(training.expert, "expert")
            if any(kind.startswith("medium") for kind in self.recipe.kinds):
                training.choose_medium(random_return, expert_return)
            self.scores = {"reference_min_score": random_return, "reference_max_score": expert_return}
            paths.append(self._write_scores())
        for kind in self.recipe.kinds:
            steps, policy = self._steps(kind, training)
            facts = self.scores | versions(*PACKAGES)
            paths.append(self.recipe.write(self.directory, kind, steps, policy, facts))
        return paths

    def _steps(self, kind: str, training: Training | None) -> tuple[list[Step], str]:
        """Return the steps of a kind of data, and a description of the policy that took them."""
        count = self.recipe.transitions
        if training is None or kind == "random":
            return self._roll_out(self.random, count, kind), self.random.description
        if kind == "expert":
            return self._roll_out(training.expert, count, kind), training.expert.description
        medium = training.medium
        if kind == "medium":
            return self._roll_out(medium, count, kind), medium.description
        if kind == "medium-replay":
            steps = training.recorder.whole_episodes(training.medium_step)
            return steps, f"all steps that SAC took in training up to: {medium.description}"
        agents = (medium, training.expert)
        halves = [step for agent in agents for step in self._roll_out(agent, count // 2, kind)]
        return halves, f"half {medium.description}, half {training.expert.description}"

    def _write_scores(self) -> Path:
        recipe = self.recipe
        path = self.directory / f"{recipe.name}_reference_scores.json"
        record = {
            "environment": recipe.environment,
            "minimum": self.scores["reference_min_score"],
            "maximum": self.scores["reference_max_score"],
            "episodes": recipe.reference_episodes,
            "how": (
                "mean undiscounted return of uniformly random actions (minimum) and of the SAC "
                f"expert that made the expert dataset, its actions sampled (maximum), each over "
                f"{recipe.reference_episodes} episodes"
            ),
            "seed": recipe.seed,
            "training_steps": recipe.training_steps,
            "train_every": recipe.train_every,
            "learning_rate": recipe.learning_rate,
            **versions(*PACKAGES),
        }
        write_text(path, json.dumps(record, indent=2) + "\n")
        return path

    def _mean_return(self, agent: Agent, what: str) -> float:
        returns = episode_returns(
            self.recipe.environment,
            agent.act,
            self.recipe.reference_episodes,
            self.recipe.seed_of(what),
            partial(self.progress, f"measuring the {what}"),
        )
        return float(returns.mean())

    def _roll_out(self, agent: Agent, count: int, kind: str) -> list[Step]:
        return roll_out(
            self.recipe.environment,
            agent.act,
            count,
            self.recipe.seed_of(kind),
            partial(self.progress, f"collecting {kind}"),
        )
