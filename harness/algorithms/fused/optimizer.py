"""Adam over a stack of networks, each seed with its own gradient-norm clipping."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.algorithms import adam
from harness.algorithms.fused.buffers import aligned
from harness.algorithms.fused.networks import MLPs

GPU_PARTS = 32
"""Tensors that an update is split into on a GPU, where one block processes 65,536 numbers of a tensor:
the critics of one seed would keep three blocks busy for 35 us instead of 5. One launch takes 36 tensors."""


class Adam:
    """Adam (arXiv 1412.6980) on networks whose rows are ordered (network of a seed, seed).

    With `norm_clip`, the gradients of all networks of one seed are scaled together so that their norm is at
    most that, as torch.nn.utils.clip_grad_norm_ does.
    """

    def __init__(
        self, networks: MLPs, seed_count: int, learning_rate: float, norm_clip: float | None = None
    ) -> None:
        self._gradients_by_seed = networks.gradients.view(-1, seed_count, networks.gradients.shape[1])
        self._learning_rate = learning_rate
        self._norm_clip = norm_clip
        self.first_moments = torch.zeros_like(networks.parameters)
        self.second_moments = torch.zeros_like(networks.parameters)
        self._gradients = _parts(networks.gradients)
        self._adam = adam.Adam(
            _parts(networks.parameters), (_parts(self.first_moments), _parts(self.second_moments))
        )
        self.updates = self._adam.updates

    def update(self) -> None:
        """Take one step along `networks.gradients`, which it may overwrite."""
        if self._norm_clip is not None:
            # In two steps, so that the order of a seed's sum does not depend on the rest of the stack.
            norms = torch.linalg.vector_norm(self._gradients_by_seed, dim=2, keepdim=True)
            norms = norms.square().sum(0, keepdim=True).sqrt_()
            self._gradients_by_seed.mul_((self._norm_clip / (norms + 1e-6)).clamp_(max=1.0))
        self._adam.update(self._gradients, self._learning_rate)


def _parts(values: Tensor) -> list[Tensor]:
    """Return `values` in the order of memory, in the number of pieces that suits their device."""
    flat = values.view(-1)
    parts = 1 if values.device.type == "cpu" else GPU_PARTS
    return list(torch.split(flat, aligned(-(-len(flat) // parts))))
