"""Gradient steps per second, beside a textbook's PyTorch and beside what the matrix unit could do at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from harness.algorithms import ALGORITHMS, hyperparameters_class, learner_class
from harness.algorithms.hyperparameters import BCHyperparameters, Hyperparameters, TD3Hyperparameters
from harness.algorithms.learner import Learner
from harness.bench.measuring import Clock, Measurement, clock_of, median, one_core, rates_in_turn
from harness.bench.textbook import textbook
from harness.errors import HarnessError

STATES, ACTIONS = 17, 6
TRANSITIONS = 1_000_000
"""As many, and as wide, as D4RL's halfcheetah-medium."""
TURN_SECONDS = 0.25
PEAK_SIZES = {"cpu": (256, 512), "cuda": (4096, 8192)}


@dataclass(frozen=True)
class Case:
    algorithm: str
    pack: int
    precision: str
    device: torch.device

    @property
    def name(self) -> str:
        pack = f" x {self.pack} seeds" if self.pack > 1 else ""
        return f"{self.algorithm} {self.precision}{pack}"


def cases(
    algorithms: Sequence[str], packs: Sequence[int], precisions: Sequence[str], device: str
) -> list[Case]:
    """
    Raises:
        HarnessError: for a device that is not there or an algorithm that is unknown.
    """
    unknown = next((name for name in algorithms if name not in ALGORITHMS), None)
    if unknown is not None:
        raise HarnessError(f"unknown algorithm {unknown}; there are {', '.join(ALGORITHMS)}")
    if device.partition(":")[0] not in PEAK_SIZES:
        raise HarnessError(f"device {device}: the bench knows cpu and cuda")
    if device != "cpu" and not torch.cuda.is_available():
        raise HarnessError(f"device {device}: torch {torch.__version__} finds no CUDA here; use --device cpu")
    return [
        Case(algorithm, pack, precision, torch.device(device))
        for algorithm in algorithms
        for precision in precisions
        for pack in packs
    ]


def measure(chosen: Sequence[Case], seconds: float) -> Iterator[Measurement]:
    """Each case for about so many seconds, the contenders in turn."""
    for case in chosen:
        with one_core():
            yield _measure(case, seconds)


def _measure(case: Case, seconds: float) -> Measurement:
    transitions = made_up_transitions()
    learner = new_learner(case, torch.from_numpy(transitions))
    peak = _MatrixProducts(case.device)
    turn = min(TURN_SECONDS, seconds / 10)
    contenders: dict[str, Any] = {"peak": peak, "ours": _Turns(learner.train, turn)}
    if case.device.type == "cpu":
        plain = textbook(case.algorithm, transitions, STATES, ACTIONS, 1.0)
        contenders["textbook"] = _Turns(plain.train, turn)
    else:
        contenders["tf32 peak"] = _MatrixProducts(case.device, tf32=True)
    clock = clock_of(case.device)
    for contender in contenders.values():
        contender.warm_up(clock)
    rounds = rates_in_turn(contenders, seconds, clock)
    work = flops_per_step(learner.hyperparameters) * case.pack
    details = {
        "sgemm peak GFLOP/s": median(rounds, lambda rates: rates["peak"]) / 1e9,
        "fraction of peak": median(rounds, lambda rates: rates["ours"] * work / rates["peak"]),
    }
    compared = {}
    if "textbook" in contenders:
        compared = {
            "textbook": median(rounds, lambda rates: rates["textbook"]),
            "ratio": median(rounds, lambda rates: rates["ours"] * case.pack / rates["textbook"]),
        }
    else:
        details["fraction of tf32 peak"] = median(
            rounds, lambda rates: rates["ours"] * work / rates["tf32 peak"]
        )
        details["memory GiB"] = torch.cuda.max_memory_allocated(case.device) / 2**30
    ours = median(rounds, lambda rates: rates["ours"]) * case.pack
    unit = "steps/s" if case.pack == 1 else "seed-steps/s"
    return Measurement("gradient steps", case.name, unit, ours, **compared, details=details)


def flops_per_step(hyperparameters: Hyperparameters) -> float:
    """Multiplications and additions in the matrix products of a step, the least that it can do with.

    The policy's step counts for one in `policy_freq`; derivatives by data are not needed.
    """
    hidden, rows = hyperparameters.hidden_sizes, hyperparameters.batch_size
    actor, critic = _products(STATES, *hidden, ACTIONS), _products(STATES + ACTIONS, *hidden, 1)
    if isinstance(hyperparameters, BCHyperparameters):
        return 2.0 * rows * _training(actor)
    assert isinstance(hyperparameters, TD3Hyperparameters)
    targets = sum(actor) + 2 * sum(critic)
    through_critic = sum(critic) + sum(critic[1:]) + ACTIONS * hidden[0]
    policy = (_training(actor) + through_critic) / hyperparameters.policy_freq
    return 2.0 * rows * (targets + 2 * _training(critic) + policy)


def made_up_transitions(count: int = TRANSITIONS) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Normal numbers, with actions within [-1, 1] and one terminal in a hundred."""
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((count, 2 * STATES + ACTIONS + 2), dtype=np.float32)
    np.tanh(rows[:, STATES : STATES + ACTIONS], out=rows[:, STATES : STATES + ACTIONS])
    rows[:, -1] = generator.random(count) < 0.01
    return rows


def new_learner(case: Case, transitions: torch.Tensor) -> Learner[Any]:
    return learner_class(case.algorithm)(
        hyperparameters_class(case.algorithm).model_validate({"precision": case.precision}),
        transitions,
        observation_size=STATES,
        action_size=ACTIONS,
        max_action=1.0,
        state_mean=torch.zeros(STATES),
        state_scale=torch.ones(STATES),
        seeds=range(case.pack),
        device=case.device,
    )


class _Turns:
    """Gradient steps, as many at a time as fill a turn."""

    def __init__(self, train: Callable[[int], None], seconds: float) -> None:
        self._train = train
        self._seconds = seconds
        self._steps = 8

    def warm_up(self, clock: Clock) -> None:
        self._train(self._steps)
        took = 0.0
        while took < self._seconds / 4:
            started = clock()
            self._train(self._steps)
            took = clock() - started
            self._steps *= 2
        self._steps = max(8, int(self._steps / 2 * self._seconds / took) // 8 * 8)

    def __call__(self) -> float:
        self._train(self._steps)
        return self._steps


class _MatrixProducts:
    """Products of square matrices, of the size that goes fastest."""

    def __init__(self, device: torch.device, tf32: bool = False) -> None:
        self._device = device
        self._tf32 = tf32
        self._size = PEAK_SIZES[device.type][0]

    def warm_up(self, clock: Clock) -> None:
        rates = {}
        for size in PEAK_SIZES[self._device.type]:
            self._size = size
            self()
            rates[size] = max(self._rate(clock) for _ in range(3))
        self._size = max(rates, key=lambda size: rates[size])

    def __call__(self) -> float:
        factor = torch.ones(self._size, self._size, device=self._device)
        product = torch.empty_like(factor)
        times = max(1, int((2e9 if self._device.type == "cpu" else 2e13) / self._size**3 / 2))
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = self._tf32
        for _ in range(times):
            torch.mm(factor, factor, out=product)
        torch.backends.cuda.matmul.allow_tf32 = before
        return 2.0 * self._size**3 * times

    def _rate(self, clock: Clock) -> float:
        started = clock()
        return self() / (clock() - started)


def _products(*sizes: int) -> list[int]:
    return [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]


def _training(products: list[int]) -> int:
    """Forward, the weights' derivatives, and the inputs' of all layers but the first."""
    return 3 * sum(products) - products[0]
