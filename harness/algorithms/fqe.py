"""Fitted Q evaluation (Le et al. 2019, arXiv 1903.08738): the Q-function of a policy, from data alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters import Hyperparameters
from harness.algorithms.modules import MLP


class FQEHyperparameters(Hyperparameters):
    """The settings of the critics; `harness.training.settings.SelectionSettings` explains and checks them."""

    discount: float
    tau: float
    learning_rate: float


class FittedQEvaluation(AutogradLearner[FQEHyperparameters]):
    """Fits the Q-function of M frozen policies, one for each member of the pack.

    `batch.next_action` must be the action of the member's policy in the next state, not the dataset's. Le et
    al. solve a regression to convergence in every iteration; here the target network follows slowly, as in
    Paine et al. (2020, arXiv 2007.09055).
    """

    targets = ("critic",)
    fields = ("state", "action", "reward", "next_state", "not_terminal", "next_action")

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build one critic."""
        return {"critic": MLP(observation_size + action_size, *self.hyperparameters.hidden_sizes, 1)}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(Q) = mean (Q(s, a) - y)^2, y = r + discount Q'(s', pi(s')) unless s' is terminal."""
        settings = self.hyperparameters
        with torch.no_grad():
            next_q = self.target.critic(torch.cat([batch.next_state, batch.next_action], dim=-1)).squeeze(-1)
            target = batch.reward + settings.discount * batch.not_terminal * next_q
        q = self.critic(batch.state_action).squeeze(-1)
        loss = (q - target).square()
        self.minimize("critic", loss, learning_rate=settings.learning_rate)
        self.polyak("critic", settings.tau)
        return {"q": q.detach().mean(1), "critic_loss": loss.mean(1)}

    @torch.no_grad()
    def q_values(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return Q(s, a), [M, n], of states [M, n, S] as they were recorded, and actions [M, n, A]."""
        normalised = (states - self._data.state_mean) / self._data.state_scale
        q: Tensor = self.critic(torch.cat([normalised, actions], dim=-1).to(self.device)).squeeze(-1)
        return q
