"""Registers D4RL's tasks that gymnasium and gymnasium-robotics do not have in the same form.

`gymnasium.make("harness.environments:D4RL/antmaze-umaze-v2")` imports this module.

Any environment:
    spec, factory           describes an environment as plain data, and creates it
    packages                which modules may be imported for an environment that a file names
    protocol                checks that an environment follows gymnasium's protocol

D4RL's tasks:
    locomotion, adroit      from gymnasium's and gymnasium-robotics' tasks
    maze2d, antmaze         defined here, with the floor plans in mazes
    kitchen                 defined here, with the model of gymnasium-robotics
    simulation              the base class of the tasks that are defined here
    contacts                the contacts of MuJoCo 2

OGBench's tasks:
    ogbench                 rewards success, and seeds all random numbers
"""

from __future__ import annotations

import gymnasium

for name in ("Hopper", "Ant"):
    gymnasium.register(
        f"D4RL/{name}-v4",
        entry_point=f"harness.environments.locomotion:make_{name.lower()}",
        max_episode_steps=1000,
    )
for task, steps in {"Pen": 100, "Hammer": 200, "Door": 200, "Relocate": 200}.items():
    gymnasium.register(
        f"D4RL/AdroitHand{task}-v1",
        entry_point="harness.environments.adroit:make_adroit",
        kwargs={"task": task},
        max_episode_steps=steps,
    )
for maze, steps in {
    "open": 150,
    "umaze": 300,
    "medium": 600,
    "large": 800,
    "eval-umaze": 300,
    "eval-medium": 600,
    "eval-large": 800,
}.items():
    for reward in ("sparse", "dense"):
        gymnasium.register(
            f"D4RL/maze2d-{maze}{'-dense' if reward == 'dense' else ''}-v{0 if maze == 'open' else 1}",
            entry_point="harness.environments.maze2d:Maze2D",
            kwargs={"maze": maze, "reward": reward},
            max_episode_steps=steps,
        )
for maze, steps in {"umaze": 700, "medium": 1000, "large": 1000}.items():
    for version in (0, 2):
        gymnasium.register(
            f"D4RL/antmaze-{maze}-v{version}",
            entry_point="harness.environments.antmaze:AntMaze",
            kwargs={"maze": maze, "goal_per_episode": version == 2},
            max_episode_steps=steps,
        )
for data, tasks in {
    "complete": ("microwave", "kettle", "light switch", "slide cabinet"),
    "mixed": ("microwave", "kettle", "bottom burner", "light switch"),
}.items():
    gymnasium.register(
        f"D4RL/kitchen-{data}-v0",
        entry_point="harness.environments.kitchen:Kitchen",
        kwargs={"tasks": tasks},
        max_episode_steps=280,
    )
