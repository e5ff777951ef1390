"""The stacked perceptrons against plain modules."""

import pytest
import torch

from harness.algorithms.fused.networks import MLPs
from harness.algorithms.modules import MLP
from tests.algorithms.make import initial, with_ones

SHAPES = [(3, 16, 8, 2), (3, 8, 1), (5, 4, 4, 4, 3)]


def module_of(networks, index):
    module = MLP(*networks.sizes)
    module.load_state_dict(networks.named(index))
    return module


def bounded(module, inputs, bound):
    return module(inputs) if bound is None else bound * torch.tanh(module(inputs))


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("bound", [None, 1.0, 2.0])
@pytest.mark.parametrize("stacked", [False, True])
def test_forward_and_backward_are_those_of_modules(sizes, bound, stacked):
    networks = MLPs(sizes, initial(sizes, 3), bound=bound, stacked=stacked)
    inputs, gradient = torch.randn(3, 7, sizes[0]), torch.randn(3, 7, sizes[-1])
    ours = with_ones(inputs)
    all_outputs = networks(ours, kept=True)
    torch.testing.assert_close(networks(ours), all_outputs)
    networks.backward(ours, gradient)
    columns = slice(1, 3)
    networks(ours, kept=True)
    by_inputs = networks.input_gradient(gradient, columns)
    for index in range(3):
        module, own = module_of(networks, index), inputs[index].clone().requires_grad_()
        outputs = bounded(module, own, bound)
        outputs.backward(gradient[index])
        torch.testing.assert_close(all_outputs[index], outputs)
        torch.testing.assert_close(by_inputs[index], own.grad[:, columns])
        for name, tensor in networks.named(index, networks.gradients).items():
            torch.testing.assert_close(tensor, module.get_parameter(name).grad, msg=name)


@pytest.mark.parametrize("bound", [None, 2.0])
@pytest.mark.parametrize("stacked", [False, True])
def test_fit_is_forward_and_backward(bound, stacked):
    """Two networks to a batch, as the twin critics have it."""
    networks = MLPs((3, 8, 8, 1), initial((3, 8, 8, 1), 4), bound=bound, stacked=stacked)
    inputs, targets = with_ones(torch.randn(2, 7, 3)), torch.randn(2, 7, 1)
    outputs = networks.forward_backward(inputs, targets, lambda output, target: output - target).clone()
    gradients = networks.gradients.clone()
    torch.testing.assert_close(networks(inputs, kept=True), outputs)
    networks.backward(inputs, outputs - targets.repeat(2, 1, 1))
    torch.testing.assert_close(networks.gradients, gradients)


@pytest.mark.parametrize("stacked", [False, True])
def test_network_k_takes_the_batch_k_modulo_their_number(stacked):
    networks = MLPs((3, 4, 1), initial((3, 4, 1), 6), stacked=stacked)
    inputs = torch.randn(3, 5, 3)
    torch.testing.assert_close(
        networks(with_ones(inputs)).clone(), networks(with_ones(torch.cat([inputs, inputs])))
    )


def test_first_networks_share_their_parameters():
    networks = MLPs((3, 4, 1), initial((3, 4, 1), 4))
    first = networks.view_of_first(2)
    networks.parameters.add_(1)
    inputs = torch.randn(2, 5, 3)
    twice = with_ones(torch.cat([inputs, inputs]))
    torch.testing.assert_close(first(with_ones(inputs)), networks(twice)[:2])
