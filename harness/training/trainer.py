"""One trial from its first gradient step to its last evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from harness.datasets.dataset import OfflineDataset
from harness.training.evaluation import Evaluation
from harness.training.pack import Pack
from harness.trial import Trial


class Trainer(Pack):
    """A pack of one trial, evaluated in this process: each `advance` gives one evaluation.

    Its state can be saved between any two evaluations; a trainer that loads it goes on bit for bit as the one
    that saved it would have.

    Args:
        trial: what to train; `Trial.model_validate({"algorithm": "td3_bc", "dataset": ..., "seed": 0})`.
        dataset: the trial's dataset if it is loaded already.
        device: where the learner's tensors live. Evaluation runs on the CPU always.

    Raises:
        HarnessError: when the dataset and the environment do not fit each other, or the device has not the
            trial's precision.
    """

    def __init__(self, trial: Trial, dataset: OfflineDataset | None = None, device: str = "cpu") -> None:
        super().__init__([trial], None if dataset is None else [dataset], device)

    @property
    def trial(self) -> Trial:
        return self.trials[0]

    @property
    def dataset(self) -> OfflineDataset:
        return self.datasets[0]

    @property
    def evaluations(self) -> list[Evaluation]:
        """The evaluations so far."""
        return self.records[0]

    def __iter__(self) -> Iterator[Evaluation]:
        """The evaluations still ahead."""
        while not self.finished:
            yield self.advance()

    def advance(self) -> Evaluation:
        """Train to the next evaluation and evaluate."""
        self.advance_all()
        return self.evaluations[-1]
