"""The contract between a learner and the code that trains it, and the parts that all learners share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, get_args

import torch
from torch import Tensor
from typing_extensions import override

from harness.algorithms.data import BatchField, TrainingData
from harness.algorithms.hyperparameters import Hyperparameters
from harness.algorithms.numerics import denormals_as_zero, tf32_products
from harness.algorithms.sampling import SAMPLED_AT_ONCE, Sampler
from harness.errors import HarnessError
from harness.policies import Policy

State = dict[str, Tensor | int | float]
AnyHyperparameters = TypeVar("AnyHyperparameters", bound=Hyperparameters)


class Learner(ABC):
    """Trains M seeds side by side; the result of a seed does not depend on the others."""

    @property
    @abstractmethod
    def step(self) -> int:
        """The number of gradient steps taken, the same for every seed."""

    @abstractmethod
    def train(self, steps: int) -> None:
        """Take gradient steps with all seeds; return when the device has finished them.

        The result does not depend on how steps are split into calls, up to rounding.
        """

    @abstractmethod
    def metrics(self) -> list[dict[str, float]]:
        """Return the latest value of every metric, such as losses: one dictionary per seed."""

    @abstractmethod
    def policy(self, index: int) -> Policy:
        """Return the current policy of a seed; later training does not change it."""

    @abstractmethod
    def state_dict(self, index: int) -> State:
        """Return a copy of everything that the further training of one seed depends on."""

    @abstractmethod
    def load_state_dict(self, index: int, state: State) -> None:
        """Continue from what `state_dict` returned, in this pack or another.

        Raises:
            HarnessError: if a tensor is missing or has another shape.
        """


class BatchLearner(Learner, Generic[AnyHyperparameters]):
    """A learner that takes gradient steps on batches drawn from transitions.

    A seed determines networks, batches and noise, and gives the same result in any pack. With `stacked`,
    operations are batched over all seeds, which suits a GPU; without it each seed is computed separately,
    which suits a CPU's cache. By default learners are stacked on all devices but the CPU.
    """

    hyperparameters_class: ClassVar[type[Hyperparameters]]
    fields: ClassVar[tuple[BatchField, ...]] = ("state", "action", "reward", "next_state", "not_terminal")
    """The fields of a transition that an update uses."""
    replacement: ClassVar[bool] = True
    """Whether a transition can occur twice in a batch."""

    def __init__(
        self,
        hyperparameters: AnyHyperparameters,
        data: TrainingData,
        seeds: Sequence[int],
        *,
        device: torch.device | str = "cpu",
        stacked: bool | None = None,
    ) -> None:
        self.hyperparameters = hyperparameters
        self.device = torch.device(device)
        self.max_action = data.max_action
        self.gradient_steps = data.gradient_steps
        """The total number of gradient steps of training."""
        self._seeds = tuple(seeds)
        self._steps = [0] * len(self._seeds)
        self._data = data
        self._stacked = self.device.type != "cpu" if stacked is None else stacked
        columns = max(data.columns[field].stop for field in self.fields)
        self._sampler = Sampler(
            data, self._seeds, hyperparameters.batch_size, columns, self.device, self.replacement
        )
        self._set_up()

    @abstractmethod
    def _set_up(self) -> None:
        """Create the networks, their optimizers, and all else that gradient steps use."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Store the class of hyper-parameters given as `BatchLearner[...]`, and check lists of names."""
        super().__init_subclass__(**options)
        for name in ("fields", "targets"):
            value = vars(cls).get(name)
            if isinstance(value, str):
                raise HarnessError(
                    f"{cls.__name__}.{name} must be a tuple of names, not the text {value!r}; a tuple of one "
                    f"name has a comma: ({value!r},)"
                )
        for base in vars(cls).get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Hyperparameters):
                    cls.hyperparameters_class = argument

    @property
    def seed_count(self) -> int:
        """The number M of seeds that are trained side by side."""
        return len(self._seeds)

    @property
    @override
    def step(self) -> int:
        if len(set(self._steps)) != 1:
            raise HarnessError(f"the seeds of a pack are at different steps: {self._steps}")
        return self._steps[0]

    @override
    def train(self, steps: int) -> None:
        step = self.step
        end = step + steps
        with denormals_as_zero(), tf32_products(self.hyperparameters.precision == "tf32"):
            while step < end:
                count = min(SAMPLED_AT_ONCE - step % SAMPLED_AT_ONCE, end - step)
                self._take_steps(step, count)
                step += count
                self._steps = [step] * self.seed_count
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    @abstractmethod
    def _take_steps(self, first: int, count: int) -> None:
        """Take `count` gradient steps, after `first` that were taken before."""

    @override
    def state_dict(self, index: int) -> State:
        state: State = {"step": self._steps[index]}
        for name, tensor in self._tensors(index).items():
            state[name] = tensor.detach().to("cpu", copy=True).contiguous()
        return state

    @override
    def load_state_dict(self, index: int, state: State) -> None:
        step = state["step"]
        assert isinstance(step, int)
        with torch.no_grad():
            for name, tensor in self._tensors(index).items():
                saved = state.get(name)
                if not isinstance(saved, Tensor) or saved.shape != tensor.shape:
                    found = list(saved.shape) if isinstance(saved, Tensor) else "nothing"
                    raise HarnessError(
                        f"the saved state has {found} for {name}, but this learner needs "
                        f"{list(tensor.shape)}; it belongs to another algorithm, dataset or network size"
                    )
                tensor.copy_(saved)
        self._steps[index] = step

    def _by_seed(self, metrics: Mapping[str, Tensor]) -> list[dict[str, float]]:
        """Turn metrics [M] by name into one dictionary per seed."""
        by_name = {name: values.tolist() for name, values in metrics.items()}
        return [{name: values[index] for name, values in by_name.items()} for index in range(self.seed_count)]

    @abstractmethod
    def _tensors(self, index: int) -> dict[str, Tensor]:
        """Return views of all tensors of a seed's state, by name."""
