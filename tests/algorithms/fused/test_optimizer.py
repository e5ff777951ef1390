"""Adam over a stack against torch's own on each seed's networks."""

import pytest
import torch

from harness.algorithms.fused.networks import MLPs
from harness.algorithms.fused.optimizer import GPU_PARTS, Adam, _parts
from tests.algorithms.make import initial


@pytest.mark.parametrize("norm_clip", [None, 0.1, 1e6])
def test_a_seeds_networks_are_clipped_together_and_updated_as_by_torch(norm_clip):
    seed_count = 3
    sizes = (4, 6, 1)
    networks = MLPs(sizes, initial(sizes, 2 * seed_count))
    optimizer = Adam(networks, seed_count, 1e-2, norm_clip)
    parameters = [
        [network[row].clone().requires_grad_() for row in (seed, seed + seed_count)]
        for seed, network in ((seed, networks.parameters) for seed in range(seed_count))
    ]
    torch_optimizers = [torch.optim.Adam(own, lr=1e-2) for own in parameters]
    for _ in range(5):
        gradients = torch.randn_like(networks.gradients)
        networks.gradients.copy_(gradients)
        optimizer.update()
        for seed, (own, torch_optimizer) in enumerate(zip(parameters, torch_optimizers, strict=True)):
            for parameter, row in zip(own, (seed, seed + seed_count), strict=True):
                parameter.grad = gradients[row].clone()
            if norm_clip is not None:
                torch.nn.utils.clip_grad_norm_(own, norm_clip)
            torch_optimizer.step()
    for seed, own in enumerate(parameters):
        for parameter, row in zip(own, (seed, seed + seed_count), strict=True):
            torch.testing.assert_close(networks.parameters[row], parameter.detach())


@pytest.mark.parametrize("count", [5, 72_208, 9_000_001])
def test_a_gpu_is_given_all_numbers_in_parts_of_one_launch(count):
    parts = _parts(torch.empty(1, count, device="meta"))
    assert sum(len(part) for part in parts) == count
    assert len(parts) <= GPU_PARTS
    assert [len(part) for part in _parts(torch.empty(2, count))] == [2 * count]
