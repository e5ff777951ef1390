"""Behaviour cloning: the policy imitates the actions of the data.

`implementation: auto` trains the equal learner of `fused/bc.py` instead.
"""

from __future__ import annotations

from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.bc import BCHyperparameters
from harness.algorithms.modules import DeterministicActor


class BC(AutogradLearner[BCHyperparameters]):
    """Minimises mean (pi(s) - a)^2."""

    fields = ("state", "action")

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy."""
        sizes = (observation_size, *self.hyperparameters.hidden_sizes, action_size)
        return {"actor": DeterministicActor(*sizes, max_action=self.max_action)}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(pi) = mean (pi(s) - a)^2."""
        loss = (self.actor(batch.state) - batch.action).square().mean((1, 2))
        self.minimize("actor", loss, learning_rate=self.hyperparameters.actor_learning_rate)
        return {"actor_loss": loss}
