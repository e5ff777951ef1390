"""Contacts as in MuJoCo 2, with which D4RL's data was collected."""

from __future__ import annotations

import mujoco
import numpy as np

MUJOCO_VERSION = tuple(int(part) for part in mujoco.__version__.split(".")[:2])

# The margin of a contact is the sum of both geoms' margins since MuJoCo 3.5, before it was the larger one.
MARGIN_SHARE = 0.5 if MUJOCO_VERSION >= (3, 5) else 1.0


def restore_margins(model: mujoco.MjModel) -> None:
    """Set the margins of geoms so that contacts have the margins of MuJoCo 2.

    Assumes that the larger margin is the same for any two geoms that may touch, as in gymnasium's Hopper and
    Ant and in gymnasium-robotics' Adroit hand.
    """
    if MARGIN_SHARE != 1.0:
        touching = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
        model.geom_margin[touching] = MARGIN_SHARE * np.max(model.geom_margin[touching])
