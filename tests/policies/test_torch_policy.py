"""Tests of policies whose network runs in torch."""

import numpy as np
import pytest
from torch import nn

from harness.algorithms.modules import MLP
from harness.errors import HarnessError
from harness.policies.torch_policy import TorchPolicy, from_torchscript, to_torchscript

MEAN, SCALE = np.zeros(3, np.float32), np.ones(3, np.float32)


class CountsRows(nn.Module):
    def forward(self, states):
        return states.reshape(len(states), -1)


class Branches(nn.Module):
    def forward(self, states):
        return states if states.sum() > 0 else -states


@pytest.mark.parametrize(
    "network", [nn.Sequential(nn.Linear(3, 2), nn.ELU()), MLP(3, 8, 2, activation=nn.GELU)]
)
def test_network_is_exactly_the_same_after_torchscript(network):
    policy = TorchPolicy(network, MEAN, SCALE)
    loaded = from_torchscript(to_torchscript(policy), MEAN, SCALE)
    for states in np.random.default_rng(0).standard_normal((10, 5, 3)):
        np.testing.assert_array_equal(loaded(states), policy(states))


@pytest.mark.parametrize("network", [CountsRows, Branches])
def test_network_that_torchscript_would_change_is_rejected(network):
    with pytest.raises(HarnessError, match=r"cannot be saved as TorchScript .* states\.shape") as caught:
        to_torchscript(TorchPolicy(network(), MEAN, SCALE))
    assert "\n" not in str(caught.value)
