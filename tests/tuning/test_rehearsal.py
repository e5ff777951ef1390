"""Tests that errors in a user's own algorithm are found before a run starts."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from harness.algorithms import AutogradLearner, Batch, Hyperparameters
from harness.algorithms.modules import DeterministicActor
from harness.errors import HarnessError, HarnessWarning
from harness.tuning.plan import Sizes
from harness.tuning.rehearsal import rehearse
from tests.storage.make import experiment


class Settings(Hyperparameters):
    batch_size: int = 32


class Cloning(AutogradLearner[Settings]):
    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        return {"actor": DeterministicActor(observation_size, 8, action_size, max_action=self.max_action)}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        loss = self.loss(batch)
        self.minimize("actor", loss)
        return {"loss": loss.mean(1)}

    def loss(self, batch: Batch) -> Tensor:
        error: Tensor = (self.actor(batch.state) - batch.action).square().mean(-1)
        return error


class LossOfOneNumber(Cloning):
    def loss(self, batch: Batch) -> Tensor:
        return super().loss(batch).mean()


class MetricOfOneNumber(Cloning):
    def update(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().update(batch)["loss"].mean()}


class TooManyActions(Cloning):
    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        return super().networks(observation_size, action_size + 1)

    def loss(self, batch: Batch) -> Tensor:
        error: Tensor = self.actor(batch.state).square().mean(-1)
        return error


class CountingRows(Cloning):
    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        class Actor(nn.Linear):
            def forward(self, states: Tensor) -> Tensor:
                return super().forward(states).reshape(len(states), -1)

        return {"actor": Actor(observation_size, action_size)}


class WithoutInit(Cloning):
    def __init__(self, *arguments: object, **options: object) -> None:
        self.count = 0


class Broadcasting(Cloning):
    """Subtracts rewards [M, n] from actions [M, n, 1], which gives [1, n, n] for one seed."""

    def loss(self, batch: Batch) -> Tensor:
        return (self.actor(batch.state) - batch.reward).square().mean(-1)


class MetricAsNumber(Cloning):
    def update(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().update(batch)["loss"].item()}  # type: ignore[dict-item]


class Raising(Cloning):
    def loss(self, batch: Batch) -> Tensor:
        raise ValueError("no loss today")


class Exiting(Cloning):
    def loss(self, batch: Batch) -> Tensor:
        exit()


class WithDropout(Cloning):
    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        return {"actor": nn.Sequential(nn.Dropout(0.5), nn.Linear(observation_size, action_size), nn.Tanh())}


class LossOverSeeds(Cloning):
    def loss(self, batch: Batch) -> Tensor:
        loss = super().loss(batch)
        return loss * loss.detach().mean()


class WithoutMinimize(Cloning):
    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        forgotten, fixed = nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)
        return {**super().networks(observation_size, action_size), "critic": forgotten, "prior": fixed}


class Diverging(Cloning):
    def loss(self, batch: Batch) -> Tensor:
        return super().loss(batch) * torch.nan


def rehearsed(learner: type[Cloning]) -> None:
    algorithms = {"mine": {"algorithm": f"{__name__}:{learner.__name__}"}, "td3_bc": {}}
    trials = experiment(algorithms=algorithms).trials()
    rehearse(trials, {trials[0].dataset.name: Sizes(3, 1)})


@pytest.mark.parametrize(
    ("learner", "complaint"),
    [
        (LossOfOneNumber, r"test_rehearsal.py:\d+: the loss of actor must have shape \[1, n\] .* got \[\]"),
        (MetricOfOneNumber, r"MetricOfOneNumber.update: metric 'loss' must be a tensor of shape"),
        (MetricAsNumber, r"MetricAsNumber.update: metric 'loss' must be a tensor of shape .* got float"),
        (
            Broadcasting,
            r"mine: update\(\) fails with two seeds, though not with one: .*rehearsal.py:\d+: .* must match "
            "the size of .*; the first dimension of its tensors is the seed",
        ),
        (
            TooManyActions,
            r"algorithm mine: its policy returns actions of shape \[1, 2\] .* expected \[1, 1\]",
        ),
        (CountingRows, "algorithm mine: the policy's network cannot be saved as TorchScript"),
        (WithoutInit, r"WithoutInit.__init__ has not called super\(\).__init__"),
    ],
)
def test_rehearse_a_learner_that_breaks_its_contract_raises(learner: type[Cloning], complaint: str) -> None:
    with pytest.raises(HarnessError, match=complaint):
        rehearsed(learner)


@pytest.mark.parametrize("learner", [Cloning, Raising, Exiting, Diverging])
def test_rehearse_ignores_exceptions_of_user_code(learner: type[Cloning]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rehearsed(learner)


@pytest.mark.parametrize("learner", [WithDropout, LossOverSeeds])
def test_rehearse_a_seed_that_depends_on_its_pack_warns(learner: type[Cloning]) -> None:
    with pytest.warns(HarnessWarning, match="algorithm mine: its results are not reproducible"):
        rehearsed(learner)


def test_rehearse_a_network_that_is_not_trained_warns() -> None:
    with pytest.warns(HarnessWarning, match="algorithm mine: its first 4 .* do not train critic; call"):
        rehearsed(WithoutMinimize)
