"""Writes the files of one recipe."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.datasets.collect.mazes import collect_mazes, is_maze
from harness.datasets.collect.recipe import KINDS, Progress, Recipe, versions
from harness.datasets.collect.roll_outs import (
    BehaviourPolicy,
    RandomPolicy,
    action_box,
    episode_returns,
    roll_out,
)
from harness.datasets.collect.sac import Training, one_thread
from harness.datasets.layout import Steps, check_free
from harness.environments.factory import make
from harness.writing import require_writable, write_text

PACKAGES = ("gymnasium", "stable-baselines3", "torch", "numpy")


def collect(recipe: Recipe, directory: Path, progress: Progress = lambda *_: None) -> list[Path]:
    """Write the files and, except for mazes, NAME_reference_scores.json next to them; return their paths.

    Raises:
        HarnessError: if SAC cannot be trained on the task, a file already exists, or training did not get far
            enough for the recipe.
    """
    recipe.check()
    with closing(make(recipe.environment)) as environment:
        if is_maze(environment):
            return collect_mazes(recipe, directory, progress)
        actions = action_box(environment, recipe.environment)
    recipe = replace(recipe, kinds=recipe.kinds_of(KINDS))
    for kind in recipe.kinds:
        check_free(recipe.path(directory, kind), "--output, --name or --version")
    require_writable(directory)
    random = RandomPolicy(actions, recipe.seed_of("random policy"))
    training = None if set(recipe.kinds) == {"random"} else Training(recipe, progress)
    with one_thread():
        return _Collection(recipe, directory, progress, random, training).write()


class _Collection:
    """The files of one recipe, each with a description of how it was collected."""

    def __init__(
        self,
        recipe: Recipe,
        directory: Path,
        progress: Progress,
        random: BehaviourPolicy,
        training: Training | None,
    ) -> None:
        self.recipe, self.directory, self.progress = recipe, directory, progress
        self.random, self.training = random, training

    def write(self) -> list[Path]:
        self.random_return = self._mean_return(self.random, "random policy")
        paths = []
        self.scores: dict[str, str | float] = {}
        if self.training is not None:
            self.training.run()
            expert_return = self._mean_return(self.training.expert, "expert")
            if any(kind.startswith("medium") for kind in self.recipe.kinds):
                self.training.choose_medium(self.random_return, expert_return)
            self.scores = {
                "reference_min_score": self.random_return,
                "reference_max_score": expert_return,
            }
            paths.append(self._write_scores())
        for kind in self.recipe.kinds:
            paths.append(self._write_kind(kind))
        return paths

    def _write_kind(self, kind: str) -> Path:
        recipe, training, count = self.recipe, self.training, self.recipe.transitions
        if training is None or kind == "random":
            steps, policy = self._roll_out(self.random, count, kind), "uniformly random actions"
        elif kind == "medium":
            steps, policy = self._roll_out(training.medium, count, kind), training.medium_description
        elif kind == "expert":
            steps, policy = self._roll_out(training.expert, count, kind), training.expert_description
        elif kind == "medium-replay":
            steps = training.recorder.steps(training.medium_step)
            policy = f"all steps that SAC took in training up to: {training.medium_description}"
        else:
            halves = (
                self._roll_out(training.medium, count // 2, kind),
                self._roll_out(training.expert, count // 2, kind),
            )
            steps = Steps.concatenate(halves)
            policy = f"half {training.medium_description}, half {training.expert_description}"
        return recipe.write(self.directory, kind, steps, policy, self.scores | versions(*PACKAGES))

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

    def _mean_return(self, policy: BehaviourPolicy, what: str) -> float:
        returns = episode_returns(
            self.recipe.environment,
            policy,
            self.recipe.reference_episodes,
            self.recipe.seed_of(what),
            partial(self.progress, f"measuring the {what}"),
        )
        return float(returns.mean())

    def _roll_out(self, policy: BehaviourPolicy, count: int, kind: str) -> Steps:
        return roll_out(
            self.recipe.environment,
            policy,
            count,
            self.recipe.seed_of(kind),
            partial(self.progress, f"collecting {kind}"),
        )
