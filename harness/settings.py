"""The base class of all settings, and limits of numbers that several of them share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.validation import Whole

SEED_LIMIT = 2**53
"""The largest seed: all table and file formats represent whole numbers exactly up to this one."""
STEPS_LIMIT = 10**12

Seed = Annotated[Whole, Field(ge=0, le=SEED_LIMIT)]


class Settings(BaseModel):
    """A section of an experiment file: unknown keys, NaN and infinity are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
