"""Collects datasets by D4RL's recipes (arXiv 2004.07219, section 5).

SAC, trained online, gives five kinds. random: actions drawn uniformly; medium: SAC stopped about a third of
the way from random to expert; medium-replay: all steps that SAC had taken by then; expert: SAC at the end of
training; medium-expert: half of each. In D4RL's mazes controllers collect the data: waypoint (Maze2D), play
and diverse (AntMaze).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

from harness.datasets.collect.agent import AgentCollector
from harness.datasets.collect.mazes import MazeCollector, is_maze
from harness.datasets.collect.recipe import KINDS, Facts, Recipe
from harness.datasets.collect.roll_outs import Step
from harness.datasets.collect.sac import SacCollector
from harness.datasets.progress import Advance
from harness.environments.factory import make
from harness.machine import one_thread
from harness.writing import write_text

__all__ = ["KINDS", "Recipe", "collect"]


class Collector(Protocol):
    """A way to collect data of several kinds."""

    kinds: tuple[str, ...]

    def prepare(self, kinds: tuple[str, ...]) -> Facts:
        """Do what all of these kinds need, such as training, and return attributes of all files."""

    def collect(self, kind: str) -> tuple[list[Step], str]:
        """Return the steps of whole episodes, and a description of the policy that took them."""


def collect(
    recipe: Recipe, directory: Path, progress: Advance = lambda *_: None, agent: Path | None = None
) -> list[Path]:
    """Write one file for each kind of data, and reference scores if they are measured; return the paths.

    Args:
        directory: where to write NAME_KIND-VERSION.hdf5 and NAME_reference_scores.json.
        agent: collect from the agent in this file, which `model.save(...)` of stable-baselines3 wrote.

    Raises:
        HarnessError: before the work starts, if the task or the agent is not suitable, an option does not
            apply, or a file exists; later if training did not get far enough for the recipe.
    """
    with one_thread(), closing(make(recipe.environment)) as environment:
        if agent is not None:
            collector: Collector = AgentCollector(recipe, environment, progress, agent)
        elif is_maze(environment):
            collector = MazeCollector(recipe, environment, progress)
        else:
            collector = SacCollector(recipe, environment, progress)
        kinds = recipe.kinds_of(collector.kinds)
        recipe.require_free(directory, kinds)
        facts = collector.prepare(kinds)
        paths = [recipe.write(directory, kind, *collector.collect(kind), facts) for kind in kinds]
    if "reference_max_score" in facts:
        paths.append(_write_scores(recipe, directory, facts))
    return paths


def _write_scores(recipe: Recipe, directory: Path, facts: Mapping[str, str | float]) -> Path:
    record = {
        "environment": recipe.environment,
        "minimum": facts["reference_min_score"],
        "maximum": facts["reference_max_score"],
        "episodes": recipe.reference_episodes,
        "how": (
            "mean undiscounted return of uniformly random actions (minimum) and of the SAC expert that made "
            "the expert dataset, its actions sampled (maximum), each over "
            f"{recipe.reference_episodes} episodes"
        ),
        "seed": recipe.seed,
        "training_steps": recipe.training_steps,
        "train_every": recipe.train_every,
        "learning_rate": recipe.learning_rate,
        **{key: value for key, value in facts.items() if key.endswith("_version")},
    }
    path = directory / f"{recipe.name}_reference_scores.json"
    write_text(path, json.dumps(record, indent=2) + "\n")
    return path
