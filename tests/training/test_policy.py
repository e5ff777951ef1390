import numpy as np
import torch
from torch import nn

from harness.training.policy import Policy


def test_it_is_the_torch_policy():
    torch.manual_seed(0)
    modules = [nn.Linear(3, 32), nn.Linear(32, 16), nn.Linear(16, 2)]
    mean, scale = torch.randn(3), torch.rand(3) + 0.5
    states = torch.randn(10, 3)
    with torch.no_grad():
        hidden = (states - mean) / scale
        for module in modules[:-1]:
            hidden = torch.relu(module(hidden))
        expected = 2.0 * torch.tanh(modules[-1](hidden))
    layers = [(m.weight.detach().numpy().T.copy(), m.bias.detach().numpy()) for m in modules]
    actions = Policy(layers, 2.0, mean.numpy(), scale.numpy())(states.numpy().astype(np.float64))
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, expected.numpy(), atol=1e-6)
