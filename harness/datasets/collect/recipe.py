"""The settings of data collection: D4RL's recipe and its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np

from harness import __version__
from harness.datasets.collect.roll_outs import Step, as_recording
from harness.datasets.layout import check_free, write
from harness.errors import HarnessError
from harness.writing import require_writable

KINDS = ("random", "medium", "medium-replay", "medium-expert", "expert")

Facts: TypeAlias = Mapping[str, str | float]
"""Attributes of files, such as the versions of packages."""


@dataclass(frozen=True)
class Recipe:
    """The settings of `harness data collect`."""

    environment: str
    name: str
    """The first part of file names, NAME_medium_replay-VERSION.hdf5, as D4RL names its own."""
    version: str = "v0"
    kinds: tuple[str, ...] = ()
    """The kinds of data; by default all that the environment has."""
    transitions: int = 40_000
    """The minimum in each file (whole episodes); medium-replay has all steps of SAC until then."""
    training_steps: int = 100_000
    train_every: int = 1
    """Environment steps of SAC for each of its gradient steps; more give a larger replay buffer."""
    evaluation_interval: int = 1_000
    evaluation_episodes: int = 20
    reference_episodes: int = 1_000
    learning_rate: float = 3e-4
    seed: int = 0

    def kinds_of(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the requested kinds, which must be among those that the environment has."""
        unknown = [kind for kind in self.kinds if kind not in known]
        if unknown:
            raise HarnessError(f"unknown kind of dataset {unknown[0]!r}; there are {', '.join(known)}")
        return self.kinds or known

    def require_no_training(self, reason: str) -> None:
        """Reject options for training or measuring, because of `reason`."""
        shared = {"environment", "name", "version", "kinds", "transitions", "seed"}
        for field in fields(self):
            if field.name not in shared and getattr(self, field.name) != field.default:
                raise HarnessError(
                    f"--{field.name.replace('_', '-')}: {reason}, without training or measuring; "
                    "leave the option out"
                )

    def require_free(self, directory: Path, kinds: Iterable[str]) -> None:
        """Check that the files of these kinds do not exist and can be written, before the work starts."""
        for kind in kinds:
            check_free(self.path(directory, kind), "--output, --name or --version")
        require_writable(directory)

    def path(self, directory: Path, kind: str) -> Path:
        """Return the file of the dataset of this kind."""
        return directory / f"{self.name}_{kind.replace('-', '_')}-{self.version}.hdf5"

    def write(self, directory: Path, kind: str, steps: Sequence[Step], policy: str, facts: Facts) -> Path:
        """Write the dataset of one kind, with its provenance as attributes, and return its path."""
        recording = as_recording(steps, self.environment)
        returns = recording.episode_returns()
        attributes = {
            "environment": self.environment,
            "dataset": f"{self.name}-{kind}-{self.version}",
            "policy": policy,
            "episodes": len(returns),
            "mean_return": float(returns.mean()),
            "std_return": float(returns.std()),
            "seed": self.seed,
            **facts,
        }
        path = self.path(directory, kind)
        write(path, recording, attributes)
        return path

    def seed_of(self, what: str) -> int:
        """Return a distinct seed for each part of the recipe."""
        return int(np.random.SeedSequence([self.seed, *what.encode()]).generate_state(1)[0] % 2**31)


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of this and other packages as attributes of a file."""
    found = {f"{package}_version".replace("-", "_"): version(package) for package in packages}
    return found | {"harness_version": __version__}
