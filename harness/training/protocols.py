"""The interface between training a pack of trials and the code that schedules it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from harness.environments.spec import EnvironmentSpec
from harness.training.evaluation import Evaluation
from harness.trial import Trial

ShouldStop = Callable[[], bool]
"""Called about every second while a pack trains; True makes it return early, at a step that can be saved."""
PackState = dict[str, Any]
"""What `torch.save` writes and `torch.load(weights_only=True)` reads."""


class TrainedData(Protocol):
    """What a result records about the dataset of a trial."""

    @property
    def digest(self) -> str:
        """SHA-256 of the transitions."""

    @property
    def environment(self) -> EnvironmentSpec | None:
        """The environment to evaluate on, where the dataset names one."""

    def __len__(self) -> int: ...


class TrainsPack(Protocol):
    """Trains trials side by side from evaluation to evaluation; implemented by `Pack`."""

    failures: dict[int, Exception]
    """By index, the exception raised in the episodes of a trial, which then ends."""

    @property
    def trials(self) -> Sequence[Trial]:
        """The trials."""

    @property
    def datasets(self) -> Sequence[TrainedData]:
        """The dataset of each trial."""

    @property
    def records(self) -> Sequence[Sequence[Evaluation]]:
        """The evaluations so far, of each trial."""

    @property
    def step(self) -> int:
        """Gradient steps taken."""

    @property
    def finished(self) -> bool:
        """Whether every trial has its last evaluation or has failed."""

    def advance(self, should_stop: ShouldStop | None = None) -> bool:
        """Train to the next evaluation and start it; return False if `should_stop` ended that early."""

    def wait_for_evaluations(self) -> None:
        """Wait for the pending evaluations and record them."""

    def state_dict(self, index: int = 0) -> PackState:
        """Return everything needed to continue with a trial, at any step."""

    def policy_files(self, index: int = 0, experiment: str = "") -> dict[str, bytes]:
        """Return the policies of a trial to save since the last call, as file contents by name."""

    def load_state_dict(self, index: int, state: PackState) -> None:
        """Load the state of a trial from this pack or another."""

    def close(self) -> None:
        """Close the environments."""
