"""Adam (arXiv 1412.6980) and AdamW (arXiv 1711.05101) over lists of tensors, as short as updates allow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """Updates parameters in place along given gradients.

    `moments` are tensors of 0 for the first and the second moments, one for each parameter and of its shape;
    by default they are allocated. The bias correction of the moments depends on the number of `updates`.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        moments: tuple[Sequence[Tensor], Sequence[Tensor]] | None = None,
    ) -> None:
        self.parameters = list(parameters)
        self.first_moments, self.second_moments = moments or (
            [torch.zeros_like(parameter) for parameter in self.parameters],
            [torch.zeros_like(parameter) for parameter in self.parameters],
        )
        device = self.parameters[0].device if self.parameters else None
        self.updates = torch.zeros((), dtype=torch.float32, device=device)

    @torch.no_grad()
    def update(
        self, gradients: Sequence[Tensor | None], learning_rate: float | Tensor, weight_decay: float = 0.0
    ) -> None:
        """Take one step; a parameter without a gradient stays as it is.

        The learning rate is a tensor [] where it follows a schedule. Weight decay is decoupled from the
        gradient: first, w <- (1 - learning_rate weight_decay) w.
        """
        used = [index for index, gradient in enumerate(gradients) if gradient is not None]
        self.updates.add_(1)
        torch._fused_adamw_(
            [self.parameters[index] for index in used],
            [gradient.contiguous() for gradient in gradients if gradient is not None],
            [self.first_moments[index] for index in used],
            [self.second_moments[index] for index in used],
            [],
            [self.updates] * len(used),
            lr=learning_rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )


def clip_by_seed(
    gradients: Sequence[Tensor | None], limit: float, seeds: int, stacked: bool
) -> list[Tensor | None]:
    """Scale the gradients of each seed down so that their norm together is at most `limit`.

    They are those of one network: if `stacked`, of all seeds in each tensor [M, ...]; else seed after seed.
    """
    if stacked:
        squares = [
            gradient.reshape(seeds, -1).square().sum(1) for gradient in gradients if gradient is not None
        ]
        factors = _factor(torch.stack(squares).sum(0).sqrt(), limit)
        return [
            None if gradient is None else gradient * factors.view(-1, *[1] * (gradient.dim() - 1))
            for gradient in gradients
        ]
    each = len(gradients) // seeds
    clipped: list[Tensor | None] = []
    for start in range(0, len(gradients), each):
        own = gradients[start : start + each]
        norms = [torch.linalg.vector_norm(gradient) for gradient in own if gradient is not None]
        factor = _factor(torch.linalg.vector_norm(torch.stack(norms)), limit)
        clipped += [None if gradient is None else gradient * factor for gradient in own]
    return clipped


def _factor(norm: Tensor, limit: float) -> Tensor:
    """Return the factor by which torch.nn.utils.clip_grad_norm_ scales a gradient of this norm."""
    return (limit / (norm + 1e-6)).clamp(max=1.0)
