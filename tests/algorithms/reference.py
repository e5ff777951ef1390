"""The three algorithms once more, as plainly as autograd allows: one seed, modules, torch.optim.Adam."""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from harness.algorithms.hyperparameters import BCHyperparameters, TD3BCHyperparameters


def perceptron(*sizes):
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Reference:
    """Takes the batch indices and the unit-free clipped noise of every step from outside."""

    def __init__(
        self, hyperparameters, transitions, *, observation_size, action_size, max_action, mean, scale
    ):
        h = self.hyperparameters = hyperparameters
        self.transitions, self.mean, self.scale = transitions, mean, scale
        self.states, self.actions, self.max_action = observation_size, action_size, max_action
        self.actor = perceptron(self.states, *h.hidden_sizes, self.actions)
        self.networks = {"actor": self.actor}
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=h.actor_learning_rate)
        if not isinstance(h, BCHyperparameters):
            self.critic_1 = perceptron(self.states + self.actions, *h.hidden_sizes, 1)
            self.critic_2 = perceptron(self.states + self.actions, *h.hidden_sizes, 1)
            self.targets = [copy.deepcopy(net) for net in (self.actor, self.critic_1, self.critic_2)]
            self.critic_parameters = [*self.critic_1.parameters(), *self.critic_2.parameters()]
            self.critic_optimizer = torch.optim.Adam(self.critic_parameters, lr=h.critic_learning_rate)
            self.networks |= {"critic_1": self.critic_1, "critic_2": self.critic_2}
            self.networks |= dict(
                zip(("target_actor", "target_critic_1", "target_critic_2"), self.targets, strict=True)
            )
        self.steps = 0

    def load(self, state):
        for name, network in self.networks.items():
            network.load_state_dict({key: state[f"{name}.{key}"] for key in network.state_dict()})

    def weights(self):
        return {
            f"{name}.{key}": tensor
            for name, network in self.networks.items()
            for key, tensor in network.state_dict().items()
        }

    def act(self, actor, state):
        return self.max_action * torch.tanh(actor(state))

    def step(self, indices, noise=None):
        h = self.hyperparameters
        columns = (self.states, self.actions, 1, self.states, 1)
        state, action, reward, next_state, terminal = self.transitions[indices].split(columns, dim=1)
        state, next_state = (state - self.mean) / self.scale, (next_state - self.mean) / self.scale
        self.steps += 1
        if isinstance(h, BCHyperparameters):
            loss = functional.mse_loss(self.act(self.actor, state), action)
            self.descend(loss, self.actor_optimizer, list(self.actor.parameters()))
            return

        with torch.no_grad():
            actor, critic_1, critic_2 = self.targets
            next_action = (self.act(actor, next_state) + noise).clamp(-self.max_action, self.max_action)
            pair = torch.cat([next_state, next_action], 1)
            target = reward + h.discount * (1 - terminal) * torch.min(critic_1(pair), critic_2(pair))
        pair = torch.cat([state, action], 1)
        loss = functional.mse_loss(self.critic_1(pair), target) + functional.mse_loss(
            self.critic_2(pair), target
        )
        self.descend(loss, self.critic_optimizer, self.critic_parameters)

        if self.steps % h.policy_freq == 0:
            chosen = self.act(self.actor, state)
            q = self.critic_1(torch.cat([state, chosen], 1))
            loss = -q.mean()
            if isinstance(h, TD3BCHyperparameters):
                lambda_ = h.alpha / q.abs().mean().detach() if h.normalize_lambda else h.alpha
                loss = -lambda_ * q.mean()
                if h.behaviour_cloning:
                    loss = loss + functional.mse_loss(chosen, action)
            self.descend(loss, self.actor_optimizer, list(self.actor.parameters()))
            online = (self.actor, self.critic_1, self.critic_2)
            for network, target_network in zip(online, self.targets, strict=True):
                for weight, slow in zip(network.parameters(), target_network.parameters(), strict=True):
                    slow.data.copy_(h.tau * weight.data + (1 - h.tau) * slow.data)

    def descend(self, loss, optimizer, parameters):
        optimizer.zero_grad()
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        if self.hyperparameters.gradient_norm_clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.hyperparameters.gradient_norm_clip)
        optimizer.step()
