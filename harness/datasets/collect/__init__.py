"""Collects datasets by D4RL's recipes (arXiv 2004.07219, section 5).

SAC, trained online, gives five kinds. random: actions drawn uniformly; medium: SAC stopped about a third of
the way from random to expert; medium-replay: all steps that SAC had taken by then; expert: SAC at the end of
training; medium-expert: half of each. In D4RL's mazes controllers collect the data: waypoint (Maze2D), play
and diverse (AntMaze).
"""

from __future__ import annotations

from harness.datasets.collect.collection import collect
from harness.datasets.collect.recipe import KINDS, Recipe

__all__ = ["KINDS", "Recipe", "collect"]
