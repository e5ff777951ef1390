"""Contacts as in MuJoCo 2, on which D4RL's data was collected."""

from __future__ import annotations

import mujoco
import numpy as np

MUJOCO_VERSION = tuple(int(part) for part in mujoco.__version__.split(".")[:2])

# MuJoCo 3.5 adds the margins of two geoms that touch; up to 3.4 it took the larger.
MARGIN_SHARE = 0.5 if MUJOCO_VERSION >= (3, 5) else 1.0


def restore_margins(model: mujoco.MjModel) -> None:
    """Give all geoms that may touch such a margin that two of them have together what they have in MuJoCo 2.

    This is for models in which any two geoms that may touch have the same larger margin, as in gymnasium's
    Hopper and Ant and in gymnasium-robotics' Adroit hand.
    """
    if MARGIN_SHARE != 1.0:
        touching = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
        model.geom_margin[touching] = MARGIN_SHARE * np.max(model.geom_margin[touching])
