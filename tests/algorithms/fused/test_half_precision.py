"""What bfloat16 products may change, and what they may not."""

import pytest
import torch

from harness.algorithms.fused.networks import MLPs
from tests.algorithms.make import assert_close_states, assert_equal_states, initial, make, with_ones

SIZES = (5, 64, 48, 32, 2)


def pair(stacked, sizes=SIZES):
    parameters = initial(sizes, 2)
    return (MLPs(sizes, parameters.clone(), stacked=stacked, half=half) for half in (True, False))


def relative_error(one, other):
    return ((one - other).norm() / other.norm()).item()


@pytest.mark.parametrize("stacked", [False, True])
def test_results_are_those_of_full_precision_to_a_hundredth(stacked):
    half, full = pair(stacked)
    torch.manual_seed(0)
    inputs, gradient = with_ones(torch.randn(2, 400, 5)), torch.randn(2, 400, 2)
    assert 0 < relative_error(half(inputs, kept=True), full(inputs, kept=True)) < 0.01
    slopes = [networks.input_gradient(gradient, slice(1, 4)) for networks in (half, full)]
    assert 0 < relative_error(*slopes) < 0.1  # a unit near 0 may be on in one and off in the other
    for networks in (half, full):
        networks(inputs, kept=True)
        networks.backward(inputs, gradient)
    for index in range(2):
        expected = full.named(index, full.gradients)
        for name, tensor in half.named(index, half.gradients).items():
            assert relative_error(tensor, expected[name]) < 0.1, name


def test_without_products_between_hidden_layers_nothing_changes():
    half, full = pair(False, sizes=(5, 16, 2))
    inputs = with_ones(torch.randn(2, 8, 5))
    assert torch.equal(half(inputs), full(inputs))


def test_weights_and_moments_stay_in_single_precision():
    learner = make("td3_bc", precision="bf16")
    learner.train(4)
    tensors = [value for value in learner.state_dict(0).values() if isinstance(value, torch.Tensor)]
    assert {tensor.dtype for tensor in tensors} == {torch.float32}


def test_resumed_run_continues_bit_for_bit():
    whole, first, second = (make("td3_bc", precision="bf16") for _ in range(3))
    for learner in (whole, first):
        learner.train(8)
    second.load_state_dict(0, first.state_dict(0))
    whole.train(8)
    second.train(8)
    assert_equal_states(whole.state_dict(0), second.state_dict(0))


def test_a_seed_is_nearly_the_same_alone_and_in_a_pack():
    pack = make("td3_bc", seeds=(5, 2), precision="bf16")
    alone = make("td3_bc", seeds=(2,), precision="bf16")
    pack.train(10)
    alone.train(10)
    assert_close_states(alone.state_dict(0), pack.state_dict(1), 1e-6)
