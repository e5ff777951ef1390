"""The names of policy files in the folder of a trial."""

from __future__ import annotations

import re
from typing import Literal

Chosen = Literal["final", "best", "step"]
"""Why a policy was saved: as the last one, as the best of the evaluations, or at a regular step."""
FINAL, BEST = "policy.npz", "policy-best.npz"
_STEP = re.compile(r"policy-\d{10}\.npz")


def file_name(chosen: Chosen, step: int) -> str:
    """Return the name of the file of a policy that was trained for `step` gradient steps."""
    names: dict[Chosen, str] = {"final": FINAL, "best": BEST, "step": f"policy-{step:010d}.npz"}
    return names[chosen]


def chosen_of(name: str) -> Chosen | None:
    """Return why the policy of a file was saved; None if the name is not that of a policy file."""
    if name in (FINAL, BEST):
        return "final" if name == FINAL else "best"
    return "step" if _STEP.fullmatch(name) else None
