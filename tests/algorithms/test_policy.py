import numpy as np
import pytest
import torch
from torch import nn

from harness.algorithms.cql import CQLActor
from harness.algorithms.modules import MLP, DeterministicActor, GaussianActor, TanhGaussianActor
from harness.algorithms.policy import policy_of
from harness.policies import NumpyPolicy
from harness.policies.torch_policy import TorchPolicy

MEAN, SCALE = torch.tensor([0.5, -1.0, 0.0]), torch.tensor([1.0, 2.0, 0.5])
MODULES = {
    "deterministic": lambda: DeterministicActor(3, 32, 16, 2, max_action=2.0),
    "layer norm": lambda: DeterministicActor(3, 32, 16, 2, max_action=2.0, layer_norm="after"),
    "gaussian": lambda: GaussianActor(3, 32, 16, 2, max_action=2.0),
    "unsquashed gaussian": lambda: GaussianActor(3, 32, 2, max_action=0.1, tanh_mean=False),
    "cql": lambda: CQLActor(3, 32, 16, 2, max_action=2.0),
    "tanh gaussian": lambda: TanhGaussianActor(3, 32, 16, 2, max_action=2.0),
    "torch layers": lambda: nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 2)),
    "one layer": lambda: MLP(3, 2),
}


def observations():
    return np.random.default_rng(0).standard_normal((10, 3))


def expected(module):
    with torch.no_grad():
        states = (torch.from_numpy(observations()).float() - MEAN) / SCALE
        if hasattr(module, "plain_layers"):
            return nn.Sequential(*module.plain_layers())(states).numpy()
        return module(states).numpy()


@pytest.mark.parametrize("kind", MODULES)
def test_known_layers_run_in_numpy_and_give_the_same_actions(kind):
    torch.manual_seed(0)
    module = MODULES[kind]()
    policy = policy_of(module, MEAN, SCALE)
    assert isinstance(policy, NumpyPolicy)
    actions = policy(observations())
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, expected(module), atol=1e-6)


def test_deterministic_actor_gives_the_actions_of_its_plain_layers():
    torch.manual_seed(0)
    module = DeterministicActor(3, 32, 16, 2, max_action=2.0)
    states = torch.randn(10, 3)
    torch.testing.assert_close(module(states), nn.Sequential(*module.plain_layers())(states))


def test_unknown_layers_run_in_torch_without_changing_its_threads():
    module = nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 2))
    policy, threads = policy_of(module, MEAN, SCALE), torch.get_num_threads()
    assert isinstance(policy, TorchPolicy)
    actions = policy(observations())
    assert (actions.dtype, actions.shape) == (np.float32, (10, 2))
    np.testing.assert_allclose(actions, expected(module), atol=1e-6)
    assert torch.get_num_threads() == threads


def test_module_with_a_deterministic_action_acts_by_it():
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(3, 4)

        def forward(self, state):
            return self.body(state).chunk(2, dim=-1)

        def deterministic_action(self, state):
            return self(state)[0]

    module = Head()
    actions = policy_of(module, MEAN, SCALE)(observations())
    with torch.no_grad():
        states = (torch.from_numpy(observations()).float() - MEAN) / SCALE
        np.testing.assert_allclose(actions, module.deterministic_action(states).numpy(), atol=1e-6)


class HalvedActor(DeterministicActor):
    def forward(self, state, kept=None):
        return super().forward(state, kept) / 2


class OppositeActor(DeterministicActor):
    def deterministic_action(self, state):
        return -self(state)


class BoundedSequence(nn.Sequential):
    def forward(self, state):
        return torch.tanh(super().forward(state))


class LeakyReLU(nn.ReLU):
    def forward(self, units):
        return torch.where(units > 0, units, units / 10)


@pytest.mark.parametrize(
    "module",
    [
        HalvedActor(3, 8, 2, max_action=1.0),
        OppositeActor(3, 8, 2, max_action=1.0),
        BoundedSequence(nn.Linear(3, 2)),
        nn.Sequential(nn.Linear(3, 8), LeakyReLU(), nn.Linear(8, 2)),
    ],
    ids=lambda module: type(module).__name__,
)
def test_subclass_that_computes_something_else_acts_as_it_computes(module):
    actions = policy_of(module, torch.zeros(3), torch.ones(3))(observations())
    act = getattr(module, "deterministic_action", module)
    with torch.no_grad():
        np.testing.assert_allclose(actions, act(torch.from_numpy(observations()).float()), atol=1e-6)


def test_policy_does_not_follow_later_changes_of_the_module():
    module = DeterministicActor(3, 8, 2, max_action=1.0)
    policy = policy_of(module, MEAN, SCALE)
    before = policy(observations())
    for parameter in module.parameters():
        parameter.data.zero_()
    np.testing.assert_array_equal(policy(observations()), before)
