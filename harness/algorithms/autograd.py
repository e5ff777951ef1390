"""Learners whose losses are plain PyTorch: an algorithm is its networks and its update."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from harness.algorithms.adam import Adam, clip_by_seed
from harness.algorithms.contract import (
    errors_with_their_line,
    require_loss,
    require_metrics,
    require_networks,
)
from harness.algorithms.cuda_graphs import GraphedCalls, capture_on
from harness.algorithms.data import Batch
from harness.algorithms.learner import AnyHyperparameters, BatchLearner, State
from harness.algorithms.noise import SeedNoise
from harness.algorithms.policy import policy_of
from harness.algorithms.seed_modules import SeedModules, SeparateModules, StackedModules, TargetNetworks
from harness.algorithms.streams import stream_seed
from harness.errors import HarnessError
from harness.policies import Policy

UPDATE_ONLY = ("target", "_networks", "_registered", "_noise", "_conditions", "_progress")
"""Attributes that the methods for `update` use, and that a learner lacks while its networks are built."""
STATEFUL = (Tensor, nn.Module, torch.optim.Optimizer)
Metrics = dict[str, Tensor]


class _Kind(NamedTuple):
    """The conditions and noise of some gradient steps; steps of equal kind run the same operations."""

    branches: tuple[tuple[bool, ...], ...]
    """For each step, the outcomes of the conditions that `update` has asked for."""
    noise: tuple[str, ...]
    """The streams of noise that `update` has drawn from."""


class AutogradLearner(BatchLearner[AnyHyperparameters]):
    """Trains M seeds with losses in plain PyTorch; subclass it to add an algorithm.

    A subclass defines `networks` and `update`. The first dimension of all tensors in `update` is the seed,
    [M, n, ...]; networks are called as `self.NAME(inputs)` and their targets as `self.target.NAME(inputs)`.
    Everything that a seed's training depends on must be in `networks`, or be registered with
    `register_tensor`: that is what checkpoints save and restore bit for bit.

    On a CPU each seed's network is called separately, so that a seed gets bit-identical results alone and in
    any pack, if the batch size is a multiple of 32 (a partly filled vector register rounds differently).
    On a GPU each operation is batched over all seeds, and gradient steps are captured in a CUDA graph.
    """

    targets: ClassVar[tuple[str, ...]] = ()
    """Networks that get a target copy, `self.target.NAME`, which follows by `self.polyak(NAME, tau)`."""
    graphs: ClassVar[bool] = True
    """Whether gradient steps can be captured in a CUDA graph; set to False if `update` synchronises."""

    @override
    def _set_up(self) -> None:
        self._networks = self._build_networks()
        self.target = TargetNetworks({name: self._network(name) for name in self.targets})
        self._optimizers = {name: Adam(network.parameters()) for name, network in self._networks.items()}
        self._registered: dict[str, Tensor] = {}
        self._latest: Metrics = {}
        self._conditions: dict[tuple[str, int], Callable[[int], bool]] = {}
        """By kind and argument, each condition on the number of a step that `update` has asked for."""
        self._noise = SeedNoise(self._seeds, self._dtype, self.device)
        self._first = 0
        self._now = 1
        """The number of the current gradient step, counted from 1."""
        self._position = 0
        """The place of that step among those that are taken in one call."""
        self._updating = False
        self._eager = not self.graphs
        self._progress = torch.zeros((), dtype=self._dtype, device=self.device)
        self._run: Callable[..., Metrics] = self._do_steps
        if self.device.type == "cuda":
            self._run = GraphedCalls(self._do_steps, capture_on(self.device))

    # What an algorithm defines

    @abstractmethod
    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the networks of one seed; called once per seed, under that seed's random generator."""

    @abstractmethod
    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take one gradient step with all seeds; return metrics, [M] each."""

    def policy_module(self) -> str | nn.Module:
        """Return the name of the network that acts, or a module that combines networks of a single seed.

        Its `deterministic_action`, or else its output, is the action. A module of several networks calls
        `self.NAME.module(0)`; such algorithms require `resources.pack: 1`.
        """
        return "actor"

    # What an update uses

    def __getattr__(self, name: str) -> SeedModules:
        """Return the network of that name, of all seeds."""
        own = self.__dict__
        if "_networks" in own:
            if name in own["_networks"]:
                found: SeedModules = own["_networks"][name]
                return found
        elif "_data" not in own and not name.startswith("__"):
            raise HarnessError(
                f"{type(self).__name__}.__init__ has not called super().__init__ with its arguments"
            )
        elif name in UPDATE_ONLY:
            raise HarnessError(
                "networks() builds the modules of one seed: register tensors, draw random numbers and call "
                "networks in update()"
            )
        raise AttributeError(f"{type(self).__name__} has no attribute and no network {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Reject tensors and modules that no checkpoint would save."""
        if isinstance(value, STATEFUL) and name != "_progress":
            raise HarnessError(
                f"{type(self).__name__}.{name}: an attribute of type {type(value).__name__} would be lost "
                "when training resumes; return modules from networks(), train them with self.minimize, and "
                f"register tensors with self.register_tensor({name!r}, ...)"
            )
        super().__setattr__(name, value)

    def minimize(
        self,
        network: str | list[str] | tuple[str, ...],
        loss: Tensor,
        *,
        learning_rate: float | Tensor = 3e-4,
        weight_decay: float = 0.0,
        retain_graph: bool = False,
    ) -> None:
        """Take one Adam step on a loss with the parameters of one network, or of several.

        Args:
            network: the name of the network, or several names.
            loss: [M, n], averaged over n, or [M]; no seed's loss may depend on another seed's network.
            learning_rate: a number, or a tensor [] such as `self.cosine` gives.
            weight_decay: that of AdamW (arXiv 1711.05101): before the step, each of these parameters is
                multiplied by 1 - learning_rate * weight_decay.
            retain_graph: whether another loss uses parts of this one's graph afterwards.

        Raises:
            HarnessError: for an unknown network, a loss of another shape, and one that does not depend on it.
        """
        names = network if isinstance(network, list | tuple) else [network]
        for name in names:
            self._network(name)  # raises an error if there is none
        optimizers = [self._optimizers[name] for name in names]
        parameters = [parameter for optimizer in optimizers for parameter in optimizer.parameters]
        seeds, clip = self.seed_count, self.hyperparameters.gradient_norm_clip
        total = require_loss(" and ".join(names), loss, seeds)
        gradients = iter(torch.autograd.grad(total, parameters, retain_graph=retain_graph, allow_unused=True))
        for name, optimizer in zip(names, optimizers, strict=True):
            own = list(islice(gradients, len(optimizer.parameters)))
            if all(gradient is None for gradient in own):
                raise HarnessError(f"the loss of {name} does not depend on the network {name}")
            clipped = own if clip is None else clip_by_seed(own, clip, seeds, self._stacked)
            optimizer.update(clipped, learning_rate, weight_decay)

    def polyak(self, network: str, tau: float) -> None:
        """Move a target network towards its network: w' = tau w + (1 - tau) w'."""
        self._network(network)
        if not 0 <= tau <= 1:
            raise HarnessError(f"tau of the target network {network} must be between 0 and 1, got {tau:g}")
        self.target.polyak(network, tau)

    def every(self, steps: int) -> bool:
        """Return whether the number of the current gradient step is a multiple of `steps`."""
        return self._holds("every", steps, lambda number: number % steps == 0)

    def during_first(self, steps: int) -> bool:
        """Return whether this is one of the first `steps` gradient steps."""
        return self._holds("during_first", steps, lambda number: number <= steps)

    def cosine(self, value: float) -> Tensor:
        """Return a number that falls from `value` to 0 over the whole training along half a cosine."""
        return value * 0.5 * (1 + torch.cos(math.pi * self._progress / self.gradient_steps))

    def normal(self, name: str, *shape: int) -> Tensor:
        """Draw standard normal numbers [M, *shape], for each seed from its own stream of that name.

        Within one gradient step, every call with the same name returns the same numbers.
        """
        return self._noise.draw(name, shape, torch.randn, self._now - 1, self._position)

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Draw numbers [M, *shape] uniformly from [0, 1), as `normal` does."""
        return self._noise.draw(name, shape, torch.rand, self._now - 1, self._position)

    def register_tensor(self, name: str, value: Tensor) -> Tensor:
        """Return the tensor of that name, which checkpoints save; the first call registers a copy of `value`.

        Call it in every `update`, and change the tensor that it returns in place.

        Args:
            name: the tensor's name in checkpoints.
            value: its value before the first gradient step, [M, ...].
        """
        registered = self._registered
        if value.shape[:1] != (self.seed_count,):
            raise HarnessError(
                f"tensor {name} must have shape [M, ...] with M = {self.seed_count}, got {list(value.shape)}"
            )
        return registered.setdefault(name, value.detach().clone().to(self.device))

    @property
    def step(self) -> int:
        """The number of gradient steps taken before the current one, the same for every seed.

        An update that reads it is not captured in a CUDA graph; `every`, `during_first` and `cosine` can be.
        """
        if self._updating:
            self._eager = True
            return self._now - 1
        return super().step

    # What `Pack` uses

    @override
    def metrics(self) -> list[dict[str, float]]:
        return self._by_seed(self._latest)

    @override
    def policy(self, index: int) -> Policy:
        with errors_with_their_line(type(self)):
            acting = self.policy_module()
        if isinstance(acting, str) and acting not in self._networks:
            raise HarnessError(
                f"{type(self).__name__}.policy_module returns {acting!r}, which is not one of the networks "
                f"{', '.join(map(repr, self._networks))}; override it to name the network that acts"
            )
        if isinstance(acting, nn.Module) and self.seed_count > 1:
            raise HarnessError(
                f"{type(self).__name__}.policy_module returns a module, which would act for all "
                f"{self.seed_count} seeds; return the name of a network, or set resources.pack=1"
            )
        module = acting if isinstance(acting, nn.Module) else self._network(acting).module(index)
        return policy_of(module, *self._data.state_statistics(index))

    @override
    def load_state_dict(self, index: int, state: State) -> None:
        for name, value in state.items():
            if name.startswith("registered.") and isinstance(value, Tensor):
                zeros = value.new_zeros(self.seed_count, *value.shape)
                self.register_tensor(name.removeprefix("registered."), zeros)
        super().load_state_dict(index, state)

    @override
    def _tensors(self, index: int) -> dict[str, Tensor]:
        tensors = {f"registered.{name}": tensor[index] for name, tensor in self._registered.items()}
        for name, network in self._networks.items():
            optimizer = self._optimizers[name]
            groups = {
                name: network.named_tensors(index),
                f"{name}.first_moment": network.views_of(optimizer.first_moments, index),
                f"{name}.second_moment": network.views_of(optimizer.second_moments, index),
            }
            if name in self.targets:
                groups[f"target.{name}"] = getattr(self.target, name).named_tensors(index)
            for group, named in groups.items():
                tensors |= {f"{group}.{key}": tensor for key, tensor in named.items()}
            tensors[f"{name}.updates"] = optimizer.updates
        return tensors

    # How gradient steps are taken

    @override
    def _take_steps(self, first: int, count: int) -> None:
        kind = _Kind(
            tuple(
                tuple(holds(number) for holds in self._conditions.values())
                for number in range(first + 1, first + count + 1)
            ),
            self._noise.names,
        )
        numbers = [self._sampler.indices.steps(first, count), *self._noise.prepare(first, count)]
        self._first = first
        self._progress.fill_(first)
        run = self._do_steps if self._eager else self._run
        self._latest.update(run(kind, *numbers))

    def _do_steps(self, kind: _Kind, indices: Tensor, *noise: Tensor) -> Metrics:
        rows, size = self._sampler.rows(indices), self.hyperparameters.batch_size
        self._noise.use(kind.noise, noise)
        latest: Metrics = {}
        for position in range(len(kind.branches)):
            self._now, self._position = self._first + position + 1, position
            batch = Batch(rows.narrow(1, position * size, size), self._data.columns)
            with errors_with_their_line(type(self)):
                self._updating = True
                latest |= require_metrics(type(self), self.update(batch), self.seed_count)
                self._updating = False
            self._progress.add_(1)
        self._noise.use((), ())
        return latest

    def _holds(self, kind: str, argument: int, holds: Callable[[int], bool]) -> bool:
        self._conditions.setdefault((kind, argument), holds)
        return holds(self._now)

    # How networks are built

    @property
    def _dtype(self) -> torch.dtype:
        return self._data.transitions.dtype

    def _build_networks(self) -> dict[str, SeedModules]:
        by_seed = [self.networks_of_seed(seed) for seed in self._seeds]
        for seed, networks in zip(self._seeds, by_seed, strict=True):
            if networks.keys() != by_seed[0].keys():
                raise HarnessError(
                    f"{type(self).__name__}.networks must build the same networks for every seed, but "
                    f"those of seed {seed} differ"
                )
        combined = StackedModules if self._stacked else SeparateModules
        return {name: combined([networks[name] for networks in by_seed]) for name in by_seed[0]}

    def networks_of_seed(self, seed: int) -> dict[str, nn.Module]:
        """Build the networks of a seed as `networks` defines them: the same on every device, in any pack.

        Raises:
            HarnessError: when `networks` does not return a dictionary of modules, or a name is taken.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "networks"))
            with errors_with_their_line(type(self)):
                networks = self.networks(self._data.observation_size, self._data.action_size)
        require_networks(type(self), networks, taken={*dir(self), "target"})
        return {name: module.to(self.device, self._dtype) for name, module in networks.items()}

    def _network(self, name: str) -> SeedModules:
        if name not in self._networks:
            given = repr(name) if isinstance(name, str) else f"of type {type(name).__name__}"
            raise HarnessError(
                f"{type(self).__name__} has no network {given}; name one of those that networks() returns: "
                f"{', '.join(map(repr, self._networks))}"
            )
        return self._networks[name]
