"""The work that the driver assigns to a worker: one pack of trials, sent as JSON."""

from __future__ import annotations

import socket

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import HarnessError
from harness.storage.provenance import versions
from harness.trial import Trial

MUST_MATCH = ("harness", "torch", "numpy", "gymnasium")
"""Packages whose versions must agree on all machines of a run; builds (`+cpu`, `+cu126`) may differ."""


class Assignment(BaseModel):
    """Describes one pack of trials, and how a worker trains it."""

    model_config = ConfigDict(frozen=True)

    trials: tuple[Trial, ...] = Field(min_length=1)
    """The trials that are trained side by side."""
    store: str
    experiment: str = ""
    """The name of the experiment, for the files of policies."""
    driver: int
    """The number of the driver's lease."""
    versions: dict[str, str]
    device: str = "cpu"
    evaluators: int = 0
    """The number of separate processes that run the episodes; with 0 the worker runs them."""
    until: int | None = None
    """The gradient step at which the trials pause until their samples are compared; None for the end."""
    checkpoint_seconds: float = 20
    interval_seconds: float | None = None
    pack: str
    """`module:class` of the pack that trains them."""


class VersionMismatchError(HarnessError):
    """Raised if the versions of packages on a machine would change results."""


def check_versions(driver: dict[str, str]) -> None:
    """Check that this machine has the driver's versions of the packages in `MUST_MATCH`.

    Raises:
        VersionMismatchError: if a version differs; the message names this machine and both versions.
    """
    here = versions()
    for name in MUST_MATCH:
        if _release(driver.get(name)) != _release(here.get(name)):
            raise VersionMismatchError(
                f"machine {socket.gethostname()} has {name} {here.get(name, 'missing')}, but the driver has "
                f"{driver.get(name, 'missing')}; install the same version on both"
            )


def _release(version: str | None) -> str | None:
    return version.partition("+")[0] if version is not None else None
