"""Tasks of D4RL that gymnasium and gymnasium-robotics have almost: made equal, as gymnasium ids.

`gymnasium.make("harness.environments:D4RL/AdroitHandPen-v1")` imports this module, which registers them.
"""

from __future__ import annotations

import gymnasium

gymnasium.register("D4RL/Ant-v4", entry_point="harness.environments.ant:make_ant", max_episode_steps=1000)
for task, steps in {"Pen": 100, "Hammer": 200, "Door": 200, "Relocate": 200}.items():
    gymnasium.register(
        f"D4RL/AdroitHand{task}-v1",
        entry_point="harness.environments.adroit:make_adroit",
        kwargs={"task": task},
        max_episode_steps=steps,
    )
