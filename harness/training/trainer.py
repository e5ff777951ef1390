"""Trains one trial in a plain script, from its first gradient step to its last evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.datasets.dataset import OfflineDataset
from harness.policies import Policy
from harness.training.evaluation import Evaluation
from harness.training.kept_policies import KeptPolicy
from harness.training.pack import Pack
from harness.training.protocols import PackState
from harness.trial import Trial
from harness.writing import write_bytes


class Trainer:
    """Trains one trial and evaluates it in this process.

    Its state can be saved between any two evaluations; a trainer that loads it continues bit for bit.

    Args:
        trial: the trial; `Trial.model_validate({"algorithm": "td3_bc", "dataset": ..., "seed": 0})`.
        dataset: the trial's dataset, if it is already loaded.
        device: the device of the learner's tensors. Evaluation always runs on the CPU.

    Raises:
        HarnessError: if the dataset does not fit the environment, or the device does not support the trial's
            precision.
    """

    def __init__(self, trial: Trial, dataset: OfflineDataset | None = None, device: str = "cpu") -> None:
        self.trial = trial
        self.pack = Pack([trial], None if dataset is None else [dataset], device)

    @property
    def dataset(self) -> OfflineDataset:
        """The dataset on which the trial trains."""
        return self.pack.datasets[0]

    @property
    def evaluations(self) -> list[Evaluation]:
        """The evaluations so far."""
        return self.pack.records[0]

    @property
    def step(self) -> int:
        """Gradient steps taken."""
        return self.pack.step

    @property
    def finished(self) -> bool:
        """Return whether the last evaluation is complete."""
        return self.pack.finished

    def __iter__(self) -> Iterator[Evaluation]:
        """Train, and yield each evaluation."""
        while not self.finished:
            yield self.advance()

    def advance(self) -> Evaluation:
        """Train to the next evaluation and evaluate."""
        self.pack.advance()
        return self.evaluations[-1]

    def policy(self) -> Policy:
        """Return the current policy: it maps observations [E, S] to actions [E, A]."""
        return self.pack.policy()

    def save_policy(self, path: Path | str) -> None:
        """Write the current policy, with its last evaluation, to a file that `harness.load_policy` reads.

        Raises:
            RuntimeError: before the first evaluation.
            NotWrittenError: if the file cannot be written.
        """
        if not self.evaluations:
            raise RuntimeError(f"trial {self.trial.key} has no evaluation yet; call advance() first")
        evaluation = self.evaluations[-1]
        final = evaluation.step == self.trial.training.gradient_steps
        kept = KeptPolicy("final" if final else "step", self.policy(), evaluation)
        write_bytes(path, kept.to_bytes(self.trial, self.dataset, self.pack.environments[0]))

    def state_dict(self) -> PackState:
        """Return everything needed to continue, in types that `torch.load(weights_only=True)` loads."""
        return self.pack.state_dict()

    def load_state_dict(self, state: PackState) -> None:
        """Load a state; training then continues bit for bit as in the trainer that it came from."""
        self.pack.load_state_dict(0, state)

    def close(self) -> None:
        """Close the environments."""
        self.pack.close()
