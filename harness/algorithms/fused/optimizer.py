"""Adam over a stack of networks, each seed with its own gradient-norm clipping."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.algorithms.fused.buffers import aligned
from harness.algorithms.fused.networks import MLPs

BETAS = (0.9, 0.999)
EPSILON = 1e-8
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
        self.updates = torch.zeros((), device=networks.parameters.device)
        self._one = torch.ones_like(self.updates)
        self.first_moments = torch.zeros_like(networks.parameters)
        self.second_moments = torch.zeros_like(networks.parameters)
        self._parameters = _parts(networks.parameters)
        self._gradients = _parts(networks.gradients)
        self._first_moments = _parts(self.first_moments)
        self._second_moments = _parts(self.second_moments)

    def update(self) -> None:
        """Take one step along `networks.gradients`, which it may overwrite."""
        if self._norm_clip is not None:
            # In two steps, so that the order of a seed's sum does not depend on the rest of the stack.
            norms = torch.linalg.vector_norm(self._gradients_by_seed, dim=2, keepdim=True)
            norms = norms.square().sum(0, keepdim=True).sqrt_()
            self._gradients_by_seed.mul_((self._norm_clip / (norms + 1e-6)).clamp_(max=1.0))
        self.updates.add_(self._one)
        torch._fused_adam_(  # what torch.optim.Adam(fused=True) calls, without its bookkeeping
            self._parameters,
            self._gradients,
            self._first_moments,
            self._second_moments,
            [],
            [self.updates] * len(self._parameters),
            lr=self._learning_rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )


def _parts(values: Tensor) -> list[Tensor]:
    """Return `values` in the order of memory, in the number of pieces that suits their device."""
    flat = values.view(-1)
    parts = 1 if values.device.type == "cpu" else GPU_PARTS
    return list(torch.split(flat, aligned(-(-len(flat) // parts))))
