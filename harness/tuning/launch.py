"""The options of a launch: where workers run, and which trackers mirror the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

PACK = "harness.training.pack:Pack"

if TYPE_CHECKING:
    from harness.tuning.shipping import WorkerPaths


@dataclass(frozen=True)
class Options:
    """Options of one launch, which do not affect results."""

    address: str | None = None
    """The address of a Ray cluster; None for this machine alone."""
    runtime_env: dict[str, Any] | None = None
    """Ray's runtime environment of the workers."""
    wandb: str | None = None
    """The Weights & Biases project that mirrors the run."""
    mlflow: str | None = None
    """The URI of the MLflow server or database that mirrors the run."""
    pack: str = PACK
    """`module:class` of the pack that trains; only the default one needs data and environments."""
    module_folders: tuple[str, ...] = ()
    """The folders in which the user's own modules are searched, also on workers."""
    debug: bool = False

    @property
    def local(self) -> bool:
        """Return whether this machine trains; other workers may have files that it does not have."""
        return self.address is None

    @property
    def worker_paths(self) -> WorkerPaths:
        """Return the paths by which workers find the user's modules and files."""
        from harness.tuning.shipping import WorkerPaths

        return WorkerPaths(self.module_folders, str(Path.cwd()) if self.local else None)

    @property
    def same_packages(self) -> bool:
        """Return whether workers have the same packages as this process; if not, theirs cannot be checked."""
        return self.runtime_env is None
