"""What TD3, TD3+BC and BC share: transitions, random streams, the loop over gradient steps, the state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.algorithms.batches import Batch
from harness.algorithms.cuda_graphs import GraphedCalls, capture_on
from harness.algorithms.hyperparameters import Hyperparameters
from harness.algorithms.networks import MLPs
from harness.algorithms.optimizer import Adam
from harness.algorithms.passes import Buffers, denormals_as_zero, tf32_products
from harness.algorithms.streams import CHUNK, Stream, generator
from harness.errors import HarnessError

State = dict[str, Tensor | int | float]
LazyMetrics = dict[str, Callable[[], dict[str, Tensor]]]
"""By kind of update, what computes the metrics of its latest one, [M] each, when they are asked for."""
SAMPLED_AT_ONCE = 8
"""Gradient steps whose batches are gathered together; it divides CHUNK."""

AnyHyperparameters = TypeVar("AnyHyperparameters", bound=Hyperparameters)


class Learner(ABC, Generic[AnyHyperparameters]):
    """Trains M seeds side by side; what becomes of a seed does not depend on the others.

    `transitions` is [N, 2 S + A + 2] (state, action, reward, next state, terminal) with states as they were
    recorded; each batch is normalised by `state_mean` and `state_scale`, [S] for all or [M, S]. Batches are
    drawn uniformly with replacement, for each seed from its own `rows` of the transitions, by default all.
    `stacked` is as in MLPs; by default so on all devices but the CPU.
    """

    def __init__(
        self,
        hyperparameters: AnyHyperparameters,
        transitions: Tensor,
        *,
        observation_size: int,
        action_size: int,
        max_action: float,
        state_mean: Tensor,
        state_scale: Tensor,
        seeds: Sequence[int],
        rows: Sequence[range] | None = None,
        device: torch.device | str = "cpu",
        stacked: bool | None = None,
    ) -> None:
        self.hyperparameters = hyperparameters
        self.device = torch.device(device)
        self.max_action = max_action
        self._stacked = self.device.type != "cpu" if stacked is None else stacked
        self._buffers = Buffers()
        self._seeds = tuple(seeds)
        self._steps = [0] * len(self._seeds)
        self._observation_size = observation_size
        self._action_size = action_size
        self._batch_size = hyperparameters.batch_size
        self._transitions = transitions.to(self.device)[:, : self._columns]
        self._rows = rows or [range(len(transitions))] * len(self._seeds)
        at_once = SAMPLED_AT_ONCE * self._batch_size
        self._gathered = self._transitions.new_empty(len(seeds) * at_once, self._columns)
        self._sampled = Batch.allocate(len(seeds), at_once, observation_size, action_size, self.device)
        self._column_mean = self._by_column(state_mean, others=0.0)
        self._column_scale = self._by_column(state_scale, others=1.0)
        self._streams = [Stream("batches", self._seeds, self.device, self._draw_indices)]
        self._networks: dict[str, MLPs] = {}
        self._optimizers: dict[str, Adam] = {}
        self._latest: LazyMetrics = {}
        self._run: Callable[..., LazyMetrics] = self._do_steps
        if self.device.type == "cuda":
            self._run = GraphedCalls(self._do_steps, capture_on(self.device))
        self._build()

    @abstractmethod
    def _build(self) -> None:
        """Make the networks and optimisers, in `_networks` and `_optimizers` under the same names."""

    @abstractmethod
    def _update(self, policy_moves: tuple[bool, ...], batches: Batch, *draws: Tensor) -> LazyMetrics:
        """A gradient step for each `_batch_size` transitions of `batches`.

        `policy_moves` says for each whether it is one that updates the policy, `draws` is what the streams
        of the algorithm's own hold for these steps. Nothing else but tensors may change from call to call.
        """

    @property
    def _columns(self) -> int:
        """How many leading columns of a transition an update uses."""
        return 2 * self._observation_size + self._action_size + 2

    @property
    def _policy_freq(self) -> int:
        """Gradient steps per policy update."""
        return 1

    @property
    def step(self) -> int:
        """Gradient steps done, by every seed alike."""
        if len(set(self._steps)) != 1:
            raise HarnessError(f"the seeds of a pack are at different steps: {self._steps}")
        return self._steps[0]

    @torch.inference_mode()
    @denormals_as_zero()
    def train(self, steps: int) -> None:
        """Take this many gradient steps.

        How they are split into calls makes no difference but for rounding.
        """
        with tf32_products(self.hyperparameters.precision == "tf32"):
            self._train(steps)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _train(self, steps: int) -> None:
        step = self.step
        end = step + steps
        while step < end:
            count = min(SAMPLED_AT_ONCE - step % SAMPLED_AT_ONCE, end - step)
            policy_moves = tuple(
                later % self._policy_freq == 0 for later in range(step + 1, step + count + 1)
            )
            self._latest |= self._run(policy_moves, *(stream.steps(step, count) for stream in self._streams))
            step += count
        self._steps = [end] * len(self._seeds)

    def metrics(self) -> list[dict[str, float]]:
        """The losses and values of the latest updates, one dictionary per seed."""
        by_name = {
            name: values.tolist() for work_out in self._latest.values() for name, values in work_out().items()
        }
        return [
            {name: values[index] for name, values in by_name.items()} for index in range(len(self._seeds))
        ]

    def actor(self, index: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """The layers of a seed's policy, weight [in, out] and bias [out] each; it takes normalised states.

        The action is max_action * tanh of the last layer's outputs; ReLU is between the layers.
        """
        tensors = self._networks["actor"].named(index)
        weights, biases = list(tensors.values())[0::2], list(tensors.values())[1::2]
        return [
            (weight.mT.to("cpu", copy=True).contiguous().numpy(), bias.to("cpu", copy=True).numpy())
            for weight, bias in zip(weights, biases, strict=True)
        ]

    def state_dict(self, index: int) -> State:
        """All that the further training of one seed depends on, whatever it is packed with later.

        Networks and the moments of their optimisers are under the names that torch.nn.Sequential gives.
        """
        state: State = {"step": self._steps[index]}
        for name, tensor in self._tensors(index).items():
            state[name] = tensor.to("cpu", copy=True).contiguous()
        return state

    def load_state_dict(self, index: int, state: State) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            HarnessError: where a tensor is missing or has another shape.
        """
        step = state["step"]
        assert isinstance(step, int)
        for name, tensor in self._tensors(index).items():
            saved = state.get(name)
            if not isinstance(saved, Tensor) or saved.shape != tensor.shape:
                found = list(saved.shape) if isinstance(saved, Tensor) else "nothing"
                raise HarnessError(
                    f"the saved state holds {found} for {name}, where {list(tensor.shape)} is wanted: "
                    "it is of another algorithm, dataset or size of network"
                )
            tensor.copy_(saved)
        self._steps[index] = step
        for name, optimizer in self._optimizers.items():
            optimizer.set_updates(step // self._policy_freq if name == "actor" else step)

    def _tensors(self, index: int) -> dict[str, Tensor]:
        """Views of all tensors of a seed's state, by name."""
        tensors: dict[str, Tensor] = {}
        for name, networks in self._networks.items():
            sets = {name: networks.parameters}
            if name in self._optimizers:
                sets[f"{name}.first_moment"] = self._optimizers[name].first_moments
                sets[f"{name}.second_moment"] = self._optimizers[name].second_moments
            rows = range(index, len(networks.parameters), len(self._seeds))
            for prefix, values in sets.items():
                for number, row in enumerate(rows, start=1):
                    label = prefix.replace("critics", f"critic_{number}")
                    tensors |= {
                        f"{label}.{key}": tensor for key, tensor in networks.named(row, values).items()
                    }
        return tensors

    def _new_networks(self, streams: Sequence[str], sizes: Sequence[int], bound: float | None = None) -> MLPs:
        """For every stream a network of each seed, (stream, seed) in this order; the same on every device."""
        generators = [generator(seed, stream) for stream in streams for seed in self._seeds]
        parameters = MLPs.initial(sizes, generators).to(self.device)
        half = self.hyperparameters.precision == "bf16"
        return MLPs(sizes, parameters, bound=bound, stacked=self._stacked, half=half, buffers=self._buffers)

    def _by_column(self, by_state: Tensor, others: float) -> Tensor:
        """Of numbers for the states [M, S] or [S], numbers for all columns [M or 1, 1, columns]."""
        states = by_state.cpu().reshape(-1, 1, self._observation_size)
        between, last = (states.new_full((len(states), 1, n), others) for n in (self._action_size + 1, 1))
        columns = torch.cat([states, between, states, last], dim=2)
        return columns[..., : self._columns].to(self.device)

    def _draw_indices(self, index: int, generator: torch.Generator) -> Tensor:
        rows, count = self._rows[index], CHUNK * self._batch_size
        return torch.randint(rows.start, rows.stop, (count,), generator=generator, device=self.device)

    def _do_steps(self, policy_moves: tuple[bool, ...], indices: Tensor, *draws: Tensor) -> LazyMetrics:
        return self._update(policy_moves, self._sample(indices), *draws)

    def _sample(self, indices: Tensor) -> Batch:
        """The normalised transitions at `indices` [M, n], until others are sampled."""
        flat = indices.reshape(-1)
        torch.index_select(self._transitions, 0, flat, out=self._gathered[: len(flat)])
        rows = self._gathered[: len(flat)].view(*indices.shape, -1)
        batch = self._sampled.part(0, indices.shape[1])
        batch.fill(rows.sub_(self._column_mean).div_(self._column_scale))
        return batch
