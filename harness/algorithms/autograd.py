"""Learners whose losses are plain PyTorch: an algorithm is its networks and its update."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from keyword import iskeyword
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from harness.algorithms.adam import Adam, clip_by_seed
from harness.algorithms.cuda_graphs import GraphedCalls, capture_on
from harness.algorithms.data import Batch, TrainingData
from harness.algorithms.learner import AnyHyperparameters, BatchLearner
from harness.algorithms.noise import SeedNoise
from harness.algorithms.policy import policy_of
from harness.algorithms.seed_modules import SeedModules, seed_modules
from harness.algorithms.streams import stream_seed
from harness.algorithms.user_code import errors_with_their_line
from harness.errors import HarnessError
from harness.policies import Policy

UPDATE_ONLY = ("target", "_networks", "_followers", "_registered", "_noise", "_conditions", "_progress")
"""Attributes that the methods for `update` use, and that a learner lacks while its networks are built."""
STATEFUL = (Tensor, nn.Module, torch.optim.Optimizer)
Metrics = dict[str, Tensor]


class _Kind(NamedTuple):
    """The conditions and noise of some gradient steps; steps of equal kind run the same operations."""

    branches: tuple[tuple[bool, ...], ...]
    """For each step, the outcomes of the conditions that `update` has asked for."""
    noise: tuple[str, ...]
    """The streams of noise that `update` has drawn from."""


class _Condition(NamedTuple):
    """A condition on the number of a gradient step, counted from 1."""

    name: str
    number: int
    holds: Callable[[int], bool]


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

    def __init__(
        self,
        hyperparameters: AnyHyperparameters,
        data: TrainingData,
        seeds: Sequence[int],
        *,
        device: torch.device | str = "cpu",
        stacked: bool | None = None,
    ) -> None:
        super().__init__(hyperparameters, data, seeds, device=device, stacked=stacked)
        self._networks = self._build_networks()
        self._require_own_names(self._networks)
        self.target = SimpleNamespace(**{name: self._network(name).frozen_copy() for name in self.targets})
        self._followers = {name: self._pairs_of(name) for name in self.targets}
        self._optimizers = {name: Adam(network.parameters()) for name, network in self._networks.items()}
        self._registered: dict[str, Tensor] = {}
        self._latest: Metrics = {}
        self._conditions: list[_Condition] = []
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
        """Return the network that acts, or its name.

        Its `deterministic_action`, or else its output, is the action.
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
                f"{type(self).__name__}.{name}: a {type(value).__name__} set as an attribute would be lost "
                "when training resumes; return modules from networks(), and call "
                f"self.register_tensor({name!r}, ...) for a tensor"
            )
        super().__setattr__(name, value)

    def minimize(
        self,
        network: str | Sequence[str],
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
        names = [network] if isinstance(network, str) else list(network)
        optimizers = [(name, self._optimizer(name)) for name in names]
        seeds, clip = self.seed_count, self.hyperparameters.gradient_norm_clip
        if not isinstance(loss, Tensor) or loss.dim() not in (1, 2) or loss.shape[0] != seeds:
            found = list(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise HarnessError(
                f"the loss of {' and '.join(names)} must have shape [{seeds}, n] or [{seeds}] "
                f"(M = {seeds} seeds first), got {found}"
            )
        if not loss.requires_grad:
            raise HarnessError(f"the loss of {' and '.join(names)} does not depend on any network")
        total = loss.sum() if loss.dim() == 1 else loss.mean(1).sum()
        parameters = [parameter for _, optimizer in optimizers for parameter in optimizer.parameters]
        gradients = torch.autograd.grad(total, parameters, retain_graph=retain_graph, allow_unused=True)
        start = 0
        for name, optimizer in optimizers:
            own = gradients[start : start + len(optimizer.parameters)]
            start += len(own)
            if all(gradient is None for gradient in own):
                raise HarnessError(f"the loss of {name} does not depend on the network {name}")
            clipped = own if clip is None else clip_by_seed(own, clip, seeds, self._stacked)
            optimizer.update(clipped, learning_rate, weight_decay)

    @torch.no_grad()
    def polyak(self, network: str, tau: float) -> None:
        """Move a target network towards its network: w' = tau w + (1 - tau) w'."""
        if network not in self.targets:
            raise HarnessError(
                f"{type(self).__name__} has no target network {network!r}; name it in "
                f"{type(self).__name__}.targets"
            )
        slow, fast = self._followers[network]
        torch._foreach_lerp_(slow, fast, tau)

    def every(self, steps: int) -> bool:
        """Return whether the number of the current gradient step is a multiple of `steps`."""
        return self._holds(_Condition("every", steps, lambda number: number % steps == 0))

    def during_first(self, steps: int) -> bool:
        """Return whether this is one of the first `steps` gradient steps."""
        return self._holds(_Condition("during_first", steps, lambda number: number <= steps))

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

    def metrics(self) -> list[dict[str, float]]:
        """Return the latest value of every metric that `update` has returned: one dictionary per seed."""
        return self._by_seed(self._latest)

    def policy(self, index: int) -> Policy:
        """Return the current policy of a seed; later training does not change it."""
        with errors_with_their_line(type(self)):
            acting = self.policy_module()
        module = self._network(acting).module(index) if isinstance(acting, str) else acting
        return policy_of(module, *self._data.state_statistics(index))

    def load_state_dict(self, index: int, state: dict[str, Tensor | int | float]) -> None:
        """Continue from what `state_dict` returned, in this pack or another."""
        for name, value in state.items():
            if name.startswith("registered.") and isinstance(value, Tensor):
                zeros = value.new_zeros(self.seed_count, *value.shape)
                self.register_tensor(name.removeprefix("registered."), zeros)
        super().load_state_dict(index, state)

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

    def _take_steps(self, first: int, count: int) -> None:
        kind = _Kind(
            tuple(
                tuple(condition.holds(number) for condition in self._conditions)
                for number in range(first + 1, first + count + 1)
            ),
            self._noise.names,
        )
        numbers = [self._sampler.indices.steps(first, count), *self._noise.prepare(first, count)]
        self._first = first
        self._progress.fill_(first)
        run = self._do_steps if self._eager else self._run
        self._latest.update(run(kind, *numbers))

    def _do_steps(self, kind: Hashable, indices: Tensor, *noise: Tensor) -> Metrics:
        assert isinstance(kind, _Kind)
        rows, size = self._sampler.rows(indices), self.hyperparameters.batch_size
        self._noise.use(kind.noise, noise)
        latest: Metrics = {}
        for position in range(len(kind.branches)):
            self._now, self._position = self._first + position + 1, position
            batch = Batch(rows.narrow(1, position * size, size), self._data.columns)
            with errors_with_their_line(type(self)):
                self._updating = True
                latest |= self._checked(self.update(batch))
                self._updating = False
            self._progress.add_(1)
        self._noise.use((), ())
        return latest

    def _checked(self, metrics: object) -> Metrics:
        shape = (self.seed_count,)
        if not isinstance(metrics, dict):
            raise HarnessError(
                f"{type(self).__name__}.update must return a dictionary of metrics, "
                f"got {type(metrics).__name__}"
            )
        for name, value in metrics.items():
            if not isinstance(value, Tensor) or value.shape != shape:
                found = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise HarnessError(
                    f"{type(self).__name__}.update: metric {name!r} must be a tensor of shape [M] = "
                    f"{list(shape)}, got {found}"
                )
        return {name: value.detach() for name, value in metrics.items()}

    def _holds(self, condition: _Condition) -> bool:
        known = {(each.name, each.number) for each in self._conditions}
        if (condition.name, condition.number) not in known:
            self._conditions.append(condition)
        return condition.holds(self._now)

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
        return {
            name: seed_modules([networks[name] for networks in by_seed], self._stacked) for name in by_seed[0]
        }

    def networks_of_seed(self, seed: int) -> dict[str, nn.Module]:
        """Build the networks of a seed as `networks` defines them: the same on every device, in any pack.

        Raises:
            HarnessError: when `networks` does not return a dictionary of modules.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "networks"))
            with errors_with_their_line(type(self)):
                networks = self.networks(self._data.observation_size, self._data.action_size)
        if not isinstance(networks, dict) or not all(
            isinstance(name, str) and isinstance(module, nn.Module) for name, module in networks.items()
        ):
            raise HarnessError(
                f"{type(self).__name__}.networks must return a dictionary of torch modules by name"
            )
        return {name: module.to(self.device, self._dtype) for name, module in networks.items()}

    def _require_own_names(self, networks: Iterable[str]) -> None:
        """Require that each network can be called as `self.NAME`.

        Raises:
            HarnessError: for a name that a learner uses itself, or that is not an identifier.
        """
        for name in networks:
            if not name.isidentifier() or name.startswith("_") or iskeyword(name):
                reason = "is not a name of letters, digits and underscores that begins with a letter"
            elif name == "target" or hasattr(type(self), name) or name in self.__dict__:
                reason = f"is taken: self.{name} is another attribute of a learner"
            else:
                continue
            raise HarnessError(f"{type(self).__name__}.networks: {name!r} {reason}; rename this network")

    def _pairs_of(self, name: str) -> tuple[list[Tensor], list[Tensor]]:
        """Return the floating-point tensors of a target network, and those of the network that it follows."""
        target: SeedModules = getattr(self.target, name)
        both = zip(target.parameters_and_buffers(), self._network(name).parameters_and_buffers(), strict=True)
        pairs = [(slow, fast) for slow, fast in both if slow.is_floating_point()]
        return [slow for slow, _ in pairs], [fast for _, fast in pairs]

    def _network(self, name: str) -> SeedModules:
        if name not in self._networks:
            raise HarnessError(
                f"{type(self).__name__} has no network {name!r}; networks() returns "
                f"{', '.join(map(repr, self._networks))}"
            )
        return self._networks[name]

    def _optimizer(self, name: str) -> Adam:
        self._network(name)
        return self._optimizers[name]
