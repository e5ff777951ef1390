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


def _register(name: str, entry_point: str, max_episode_steps: int, **arguments: object) -> None:
    gymnasium.register(
        f"D4RL/{name}",
        entry_point=f"harness.environments.{entry_point}",
        max_episode_steps=max_episode_steps,
        kwargs=arguments,
    )


for name in ("Hopper", "Ant"):
    _register(f"{name}-v4", f"locomotion:make_{name.lower()}", 1000)
for task, steps in {"Pen": 100, "Hammer": 200, "Door": 200, "Relocate": 200}.items():
    _register(f"AdroitHand{task}-v1", "adroit:make_adroit", steps, task=task)
for maze, steps in {"umaze": 300, "medium": 600, "large": 800}.items():
    for plan in (maze, f"eval-{maze}"):
        _register(f"maze2d-{plan}-v1", "maze2d:Maze2D", steps, maze=plan, reward="sparse")
        _register(f"maze2d-{plan}-dense-v1", "maze2d:Maze2D", steps, maze=plan, reward="dense")
_register("maze2d-open-v0", "maze2d:Maze2D", 150, maze="open", reward="sparse")
_register("maze2d-open-dense-v0", "maze2d:Maze2D", 150, maze="open", reward="dense")
for maze, steps in {"umaze": 700, "medium": 1000, "large": 1000}.items():
    for version in (0, 2):
        _register(
            f"antmaze-{maze}-v{version}", "antmaze:AntMaze", steps, maze=maze, goal_per_episode=version == 2
        )
for data, tasks in {
    "complete": ("microwave", "kettle", "light switch", "slide cabinet"),
    "mixed": ("microwave", "kettle", "bottom burner", "light switch"),
}.items():
    _register(f"kitchen-{data}-v0", "kitchen:Kitchen", 280, tasks=tasks)
