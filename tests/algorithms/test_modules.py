import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from harness.algorithms.modules import (
    MLP,
    ROWS_IN_CACHE,
    DeterministicActor,
    Ensemble,
    Linear,
    gaussian_log_prob,
    orthogonal_,
    tanh_gaussian_log_prob,
    tanh_gaussian_sample,
)


def test_linear_is_initialised_as_torch_does():
    torch.manual_seed(0)
    ours, theirs = Linear(300, 400), nn.Linear(300, 400)
    assert ours.weight.shape == (300, 400)
    for mine, their in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        assert mine.abs().max() <= 300**-0.5
        torch.testing.assert_close(mine.std(), their.std(), rtol=0.1, atol=0)


@pytest.mark.parametrize("layer_norm", [None, "before", "after"])
def test_mlp_normalises_hidden_layers_only(layer_norm):
    layers = list(MLP(3, 8, 8, 2, layer_norm=layer_norm))
    kinds = [type(layer).__name__ for layer in layers]
    hidden = {None: ["ReLU"], "before": ["LayerNorm", "ReLU"], "after": ["ReLU", "LayerNorm"]}[layer_norm]
    assert kinds == [*(["Linear", *hidden] * 2), "Linear"]


def test_mlp_is_initialised_as_asked():
    network = DeterministicActor(
        3,
        8,
        8,
        2,
        max_action=1.0,
        layer_norm="after",
        layer_norm_epsilon=1e-6,
        hidden_bias=0.1,
        output_limit=1e-3,
    )
    first, _, norm, second, *_, last = network.body
    assert norm.eps == 1e-6
    for hidden in (first, second):
        torch.testing.assert_close(hidden.bias, torch.full((8,), 0.1))
    for parameter in last.parameters():
        assert 0 < parameter.abs().max() <= 1e-3


def test_ensemble_members_differ():
    ensemble = Ensemble(3, 4, 8, 1)
    outputs = ensemble(torch.randn(5, 4))
    assert outputs.shape == (5, 3)
    assert (outputs.std(dim=1) > 0).all()


def test_gaussian_log_prob_is_that_of_torch():
    mean, log_std, action = (torch.randn(6, 2, dtype=torch.float64) for _ in range(3))
    expected = Normal(mean, log_std.exp()).log_prob(action).sum(-1)
    torch.testing.assert_close(gaussian_log_prob(mean, log_std, action), expected)


def test_tanh_gaussian_sample_has_the_density_of_torch():
    mean, log_std, noise = (torch.randn(6, 2, dtype=torch.float64) for _ in range(3))
    action, log_density = tanh_gaussian_sample(mean, log_std, noise)
    torch.testing.assert_close(action, torch.tanh(mean + log_std.exp() * noise))
    distribution = TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform())
    torch.testing.assert_close(log_density, distribution.log_prob(action).sum(-1))


def test_tanh_gaussian_log_prob_is_the_density_of_its_samples_and_finite_at_the_limits():
    mean, log_std, noise = (torch.randn(6, 2, dtype=torch.float64) for _ in range(3))
    action, log_density = tanh_gaussian_sample(mean, log_std, noise)
    torch.testing.assert_close(tanh_gaussian_log_prob(mean, log_std, action), log_density)
    assert tanh_gaussian_log_prob(mean, log_std, torch.ones_like(mean)).isfinite().all()


def test_density_epsilon_limits_the_density_of_saturated_actions():
    mean, log_std, noise = (torch.full((1, 1), value, dtype=torch.float64) for value in (30.0, 0.0, 0.0))
    exact, limited = (tanh_gaussian_sample(mean, log_std, noise, epsilon)[1] for epsilon in (0.0, 1e-6))
    normal = -0.5 * math.log(2 * math.pi)
    assert exact.item() == pytest.approx(normal + 60 - math.log(4))
    assert limited.item() == pytest.approx(normal - math.log(1e-6))


def test_large_batches_are_mapped_in_parts_with_the_same_result():
    network = MLP(4, 8, 8, 2)
    rows = torch.randn(3, ROWS_IN_CACHE, 4)
    outputs = network(rows)
    expected = torch.stack([network(part) for part in rows])
    torch.testing.assert_close(outputs, expected)
    gradients = [
        torch.autograd.grad(each.square().sum(), list(network.parameters())) for each in (outputs, expected)
    ]
    torch.testing.assert_close(*gradients)


def test_orthogonal_weights_have_their_gain():
    network = MLP(6, 6, 6, 2)
    orthogonal_(network, output_gain=0.01)
    hidden, _, _, _, last = (getattr(layer, "weight", None) for layer in network)
    torch.testing.assert_close(hidden @ hidden.T, 2 * torch.eye(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(last.T @ last, 1e-4 * torch.eye(2), atol=1e-8, rtol=0)
    assert all((layer.bias == 0).all() for layer in list(network)[::2])
