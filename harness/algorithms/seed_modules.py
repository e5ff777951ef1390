"""One network for each of M seeds, called side by side."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_map
from typing_extensions import override

from harness.algorithms.modules import Ensemble, join_members
from harness.errors import HarnessError


class SeedModules(ABC):
    """Maps inputs [M, n, in] to outputs [M, n, out], each of M seeds with its own parameters.

    Networks may have several inputs or outputs, also in a dictionary; one without inputs returns [M, ...].
    """

    @abstractmethod
    def __call__(self, *inputs: Tensor) -> Any:
        """Return the outputs of all seeds."""

    @abstractmethod
    def __getitem__(self, member: int) -> Callable[..., Any]:
        """Return one member of an `Ensemble`, whose outputs are [M, n], or [M, n, out]."""

    @abstractmethod
    def members(self, inputs: Tensor) -> Tensor:
        """Call the k members of an `Ensemble` on [M, k, n, in], each on its own inputs: [M, n, k (, out)]."""

    @abstractmethod
    def named_tensors(self, index: int) -> dict[str, Tensor]:
        """Return views of the parameters and buffers of a seed, by the names in its module."""

    @abstractmethod
    def module(self, index: int) -> nn.Module:
        """Return the module of a seed with its current parameters."""

    @abstractmethod
    def parameters_and_buffers(self) -> list[Tensor]:
        """Return all tensors of all seeds."""

    @abstractmethod
    def views_of(self, tensors: Sequence[Tensor], index: int) -> dict[str, Tensor]:
        """Return the parts of one seed in tensors that are shaped like `parameters`, by parameter name."""

    def parameters(self) -> list[Tensor]:
        """Return the trainable tensors of all seeds."""
        return [tensor for tensor in self.parameters_and_buffers() if tensor.requires_grad]

    def frozen_copy(self) -> SeedModules:
        """Return a copy without gradients, for a target network."""
        copied = copy.deepcopy(self)
        for tensor in copied.parameters_and_buffers():
            tensor.requires_grad_(False)
        return copied


class TargetNetworks:
    """The target copies of networks, as attributes: `self.target.critics`."""

    def __init__(self, networks: Mapping[str, SeedModules]) -> None:
        self._pairs: dict[str, tuple[list[Tensor], list[Tensor]]] = {}
        for name, network in networks.items():
            copied = network.frozen_copy()
            setattr(self, name, copied)
            slow, fast = (
                [tensor for tensor in each.parameters_and_buffers() if tensor.is_floating_point()]
                for each in (copied, network)
            )
            self._pairs[name] = slow, fast

    def __getattr__(self, name: str) -> SeedModules:
        """Report that a network has no target copy."""
        raise self._missing(name)

    @torch.no_grad()
    def polyak(self, name: str, tau: float) -> None:
        """Move a target network towards its network: w' = tau w + (1 - tau) w'."""
        if name not in self._pairs:
            raise self._missing(name)
        slow, fast = self._pairs[name]
        torch._foreach_lerp_(slow, fast, tau)

    @staticmethod
    def _missing(name: str) -> HarnessError:
        return HarnessError(f"unknown target network {name!r}; add it to the `targets` of the algorithm")


class SeparateModules(SeedModules):
    """Calls the module of each seed separately, so that results are bit-identical alone and in any pack."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._modules = list(modules)
        self._tensors = [tensor for each in modules for tensor in each.state_dict(keep_vars=True).values()]

    @override
    def __call__(self, *inputs: Tensor) -> Any:
        return self._call(self._modules, inputs)

    @override
    def __getitem__(self, member: int) -> Callable[..., Any]:
        members = [_members(module)[member] for module in self._modules]
        return lambda *inputs: self._call(members, inputs).squeeze(-1)

    @override
    def members(self, inputs: Tensor) -> Tensor:
        each = [
            join_members([member(own) for member, own in zip(_members(module), of_seed, strict=True)])
            for module, of_seed in zip(self._modules, inputs, strict=True)
        ]
        return torch.stack(each)

    @override
    def named_tensors(self, index: int) -> dict[str, Tensor]:
        return self._modules[index].state_dict(keep_vars=True)

    @override
    def module(self, index: int) -> nn.Module:
        return self._modules[index]

    @override
    def parameters_and_buffers(self) -> list[Tensor]:
        return list(self._tensors)

    @override
    def views_of(self, tensors: Sequence[Tensor], index: int) -> dict[str, Tensor]:
        named = self._modules[index].named_parameters()
        names = [name for name, parameter in named if parameter.requires_grad]
        return dict(zip(names, tensors[index * len(names) :], strict=False))

    @staticmethod
    def _call(modules: Sequence[nn.Module], inputs: Sequence[Tensor]) -> Any:
        if len(modules) == 1:  # squeeze and unsqueeze cost nothing in the backward pass either
            outputs = modules[0](*(each.squeeze(0) for each in inputs))
            return tree_map(lambda output: output.unsqueeze(0), outputs)
        by_seed = zip(*(each.unbind(0) for each in inputs), strict=True) if inputs else [()] * len(modules)
        outputs = [module(*each) for module, each in zip(modules, by_seed, strict=True)]
        return tree_map(lambda *each: torch.stack(each), *outputs)


class StackedModules(SeedModules):
    """Keeps each parameter of all seeds in one tensor, so that a layer of all seeds is one operation.

    The members of an `Ensemble` are stacked as well: its tensors are [M, k, ...], any other's [M, ...]. A
    subclass may compute something else from its members, so it is called as a whole.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._skeleton = copy.deepcopy(modules[0])
        self._members = len(_members(modules[0])) if type(modules[0]) is Ensemble else 0
        shape = (len(modules), self._members) if self._members else (len(modules),)
        each = [part for module in modules for part in (_members(module) if self._members else [module])]
        states = [module.state_dict(keep_vars=True) for module in each]
        self._tensors: dict[str, Tensor] = {}
        for name, value in states[0].items():
            stacked = torch.stack([state[name].detach() for state in states]).view(*shape, *value.shape)
            self._tensors[name] = stacked.requires_grad_(value.requires_grad)

    @override
    def __call__(self, *inputs: Tensor) -> Any:
        if not self._members:
            return vmap(self._functional)(self._tensors, *inputs)
        by_member = vmap(vmap(self._functional, in_dims=(0, *[None] * len(inputs))))
        return join_members(by_member(self._tensors, *inputs).unbind(1))

    @override
    def __getitem__(self, member: int) -> Callable[..., Any]:
        self._require_members()
        own = {name: tensor[:, member] for name, tensor in self._tensors.items()}
        return lambda *inputs: vmap(self._functional)(own, *inputs).squeeze(-1)

    @override
    def members(self, inputs: Tensor) -> Tensor:
        self._require_members()
        return join_members(vmap(vmap(self._functional))(self._tensors, inputs).unbind(1))

    @override
    def named_tensors(self, index: int) -> dict[str, Tensor]:
        return self._named(self._tensors, index)

    @override
    def module(self, index: int) -> nn.Module:
        module = copy.deepcopy(self._skeleton)
        module.load_state_dict({name: tensor.detach() for name, tensor in self.named_tensors(index).items()})
        return module

    @override
    def parameters_and_buffers(self) -> list[Tensor]:
        return list(self._tensors.values())

    @override
    def views_of(self, tensors: Sequence[Tensor], index: int) -> dict[str, Tensor]:
        names = [name for name, tensor in self._tensors.items() if tensor.requires_grad]
        return self._named(dict(zip(names, tensors, strict=True)), index)

    def _require_members(self) -> None:
        if not self._members:
            name = type(self._skeleton).__name__
            raise TypeError(f"{name} has no members to call on a GPU; only Ensemble has, not its subclasses")

    def _functional(self, tensors: dict[str, Tensor], *inputs: Tensor) -> Any:
        module = _members(self._skeleton)[0] if self._members else self._skeleton
        return functional_call(module, tensors, inputs)

    def _named(self, tensors: dict[str, Tensor], index: int) -> dict[str, Tensor]:
        if not self._members:
            return {name: tensor[index] for name, tensor in tensors.items()}
        return {
            f"members.{member}.{name}": tensor[index, member]
            for member in range(self._members)
            for name, tensor in tensors.items()
        }


def _members(module: nn.Module) -> Sequence[nn.Module]:
    if not isinstance(module, Ensemble):
        raise TypeError(f"{type(module).__name__} has no members; only an Ensemble has")
    return list(module.members)
