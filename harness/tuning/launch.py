"""The options of a launch: where workers run, and which trackers log the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

PACK = "harness.training.pack:Pack"

if TYPE_CHECKING:
    from harness.tuning.runtime_env import WorkerPaths


@dataclass(frozen=True)
class Options:
    """Options of one launch; they do not affect results."""

    address: str | None = None
    """The address of a Ray cluster; None for this machine only."""
    runtime_env: dict[str, Any] | None = None
    """Ray's runtime environment of the workers."""
    wandb: str | None = None
    """The Weights & Biases project to log to."""
    mlflow: str | None = None
    """The URI of the MLflow server or database to log to."""
    pack: str = PACK
    """`module:class` of the pack; only the default one needs data and environments."""
    module_folders: tuple[str, ...] = ()
    """The folders that are searched for the user's own modules, also by workers."""
    debug: bool = False

    @property
    def local(self) -> bool:
        """Return whether this machine trains; the workers of a cluster may have other files."""
        return self.address is None

    @property
    def worker_paths(self) -> WorkerPaths:
        """Return the paths at which workers find the user's modules and files."""
        from harness.tuning.runtime_env import WorkerPaths

        return WorkerPaths(self.module_folders, str(Path.cwd()) if self.local else None)

    @property
    def same_packages(self) -> bool:
        """Return whether workers have the packages of this process; only then can it check them."""
        return self.runtime_env is None
