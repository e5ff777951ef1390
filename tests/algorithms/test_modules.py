import pytest
import torch
from torch import nn
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from harness.algorithms.modules import (
    MLP,
    DeterministicActor,
    Ensemble,
    Linear,
    gaussian_log_prob,
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
