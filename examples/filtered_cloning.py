"""An algorithm of your own in one file: behaviour cloning of the actions that are better than the policy's.

This is critic-regularised regression with binary weights (arXiv 2006.15134). Run it next to BC; it takes less
than a minute:

    harness run filtered_cloning.yaml
"""

import torch
from torch import Tensor, nn

from harness.algorithms import AutogradLearner, Batch, Hyperparameters
from harness.algorithms.modules import DeterministicActor, Ensemble


class FilteredCloningHyperparameters(Hyperparameters):
    """What an experiment file can set."""

    discount: float = 0.99
    """Discount factor of future rewards."""
    tau: float = 0.005
    """Share of the online weights in each update of the target networks."""
    learning_rate: float = 3e-4
    """Adam's learning rate for all networks."""


class FilteredCloning(AutogradLearner[FilteredCloningHyperparameters]):
    """Clones an action where both critics together prefer it to the policy's."""

    targets = ("actor", "critics")

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the networks of one seed."""
        hidden = self.hyperparameters.hidden_sizes
        return {
            "actor": DeterministicActor(observation_size, *hidden, action_size, max_action=self.max_action),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take one gradient step for all seeds; tensors are [M, n, ...]."""
        settings = self.hyperparameters
        with torch.no_grad():
            next_action = self.target.actor(batch.next_state)
            next_q = self.target.critics(torch.cat([batch.next_state, next_action], -1)).amin(-1)
            target = batch.reward + settings.discount * batch.not_terminal * next_q
        q = self.critics(batch.state_action)  # [M, n, 2]
        critic_loss = (q - target.unsqueeze(-1)).square().sum(-1)
        self.minimize("critics", critic_loss, learning_rate=settings.learning_rate)

        action = self.actor(batch.state)
        with torch.no_grad():
            advantage = q.amin(-1) - self.critics(torch.cat([batch.state, action], -1)).amin(-1)
            better = (advantage > 0).float()
        actor_loss = better * (action - batch.action).square().mean(-1)
        self.minimize("actor", actor_loss, learning_rate=settings.learning_rate)

        self.polyak("critics", settings.tau)
        self.polyak("actor", settings.tau)
        return {"critic_loss": critic_loss.mean(1), "actor_loss": actor_loss.mean(1), "kept": better.mean(1)}
