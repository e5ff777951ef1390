"""The base class of fused learners: networks with hand-written derivatives, and the checkpoint format."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.cuda_graphs import GraphedCalls, capture_on
from harness.algorithms.fused.batches import Batch
from harness.algorithms.fused.buffers import BufferPool
from harness.algorithms.fused.networks import MLPs
from harness.algorithms.fused.optimizer import Adam
from harness.algorithms.learner import AnyHyperparameters, BatchLearner
from harness.algorithms.modules import DeterministicActor
from harness.algorithms.policy import policy_of
from harness.algorithms.sampling import SAMPLED_AT_ONCE
from harness.algorithms.streams import Stream
from harness.policies import Policy

LazyMetrics = dict[str, Callable[[], dict[str, Tensor]]]
"""For each kind of update, a function that computes the metrics of the latest one, [M] each."""


class FusedLearner(BatchLearner[AnyHyperparameters]):
    """A learner with hand-written derivatives.

    It starts from the networks of its specification and draws the same batches and noise. Its checkpoints
    have the same tensors, so that either can continue the other's training.
    """

    specification: ClassVar[type[AutogradLearner[Any]]]
    """The autograd class that defines the algorithm."""

    @override
    def _set_up(self) -> None:
        self._observation_size = self._data.observation_size
        self._action_size = self._data.action_size
        self._batch_size = self.hyperparameters.batch_size
        self._buffers = BufferPool()
        at_once = SAMPLED_AT_ONCE * self._batch_size
        self._sampled = Batch.allocate(
            len(self._seeds), at_once, self._observation_size, self._action_size, self.device
        )
        self._streams: list[Stream] = [self._sampler.indices]
        self._networks: dict[str, MLPs] = {}
        self._optimizers: dict[str, Adam] = {}
        self._latest: LazyMetrics = {}
        self._run: Callable[..., LazyMetrics] = self._do_steps
        if self.device.type == "cuda":
            self._run = GraphedCalls(self._do_steps, capture_on(self.device))
        self._build_networks()
        self._start_from_the_specification()

    @abstractmethod
    def _build_networks(self) -> None:
        """Create the optimisers, and the networks in `_networks` by their names in checkpoints."""

    @abstractmethod
    def _update(self, updates_policy: tuple[bool, ...], batches: Batch, *draws: Tensor) -> LazyMetrics:
        """Take a gradient step for each `_batch_size` transitions of `batches`.

        `updates_policy` states for each step whether it updates the policy; `draws` are the numbers of the
        algorithm's further streams for these steps. Nothing but tensors may change from call to call.
        """

    @property
    def _policy_freq(self) -> int:
        """Gradient steps per policy update."""
        return 1

    @override
    @torch.inference_mode()
    def train(self, steps: int) -> None:
        super().train(steps)

    @override
    def metrics(self) -> list[dict[str, float]]:
        latest: dict[str, Tensor] = {}
        for work_out in self._latest.values():
            latest |= work_out()
        return self._by_seed(latest)

    @override
    def policy(self, index: int) -> Policy:
        networks = self._networks["actor"]
        with torch.device("meta"):  # draws no random numbers
            actor = DeterministicActor(*networks.sizes, max_action=self.max_action)
        actor.body.load_state_dict(networks.named(index), assign=True)
        return policy_of(actor, *self._data.state_statistics(index))

    @override
    def _take_steps(self, first: int, count: int) -> None:
        updates_policy = tuple(
            number % self._policy_freq == 0 for number in range(first + 1, first + count + 1)
        )
        self._latest |= self._run(updates_policy, *(stream.steps(first, count) for stream in self._streams))

    def _do_steps(self, updates_policy: tuple[bool, ...], indices: Tensor, *draws: Tensor) -> LazyMetrics:
        batches = self._sampled.part(0, indices.shape[1])
        batches.fill(self._sampler.rows(indices))
        return self._update(updates_policy, batches, *draws)

    @override
    def _tensors(self, index: int) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for name, networks in self._networks.items():
            groups = {name: networks.parameters}
            if name in self._optimizers:
                optimizer = self._optimizers[name]
                groups[f"{name}.first_moment"] = optimizer.first_moments
                groups[f"{name}.second_moment"] = optimizer.second_moments
                tensors[f"{name}.updates"] = optimizer.updates
            rows = range(index, len(networks.parameters), len(self._seeds))
            for group, values in groups.items():
                for member, row in enumerate(rows):
                    inner = "body" if name.endswith("actor") else f"members.{member}"
                    tensors |= {
                        f"{group}.{inner}.{key}": tensor
                        for key, tensor in networks.named(row, values).items()
                    }
        return tensors

    def _new_networks(self, per_seed: int, sizes: Sequence[int], bound: float | None = None) -> MLPs:
        """Make networks of parameters 0 for each seed; rows are ordered (network of a seed, seed)."""
        parameters = MLPs.zeros(sizes, per_seed * len(self._seeds)).to(self.device)
        half = self.hyperparameters.precision == "bf16"
        return MLPs(sizes, parameters, bound=bound, stacked=self._stacked, half=half, buffers=self._buffers)

    def _start_from_the_specification(self) -> None:
        one_row = replace(self._data, transitions=self._data.transitions[:1].cpu(), rows=None)
        specification = self.specification(self.hyperparameters, one_row, self._seeds)
        for index in range(len(self._seeds)):
            self.load_state_dict(index, specification.state_dict(index))
