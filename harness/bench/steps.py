"""Gradient steps per second, beside a textbook's PyTorch and beside what the matrix unit could do at most."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from harness.algorithms import ALGORITHMS, hyperparameters_class, learner_class
from harness.algorithms.hyperparameters import BCHyperparameters, Hyperparameters, TD3Hyperparameters
from harness.algorithms.learner import SAMPLED_AT_ONCE, Learner
from harness.algorithms.passes import tf32_products
from harness.algorithms.streams import CHUNK
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
        gpu = f" on {torch.cuda.get_device_name(self.device)}" if self.device.type == "cuda" else ""
        return f"{self.algorithm} {self.precision}{pack}{gpu}"


def cases(
    algorithms: Sequence[str], packs: Sequence[int], precisions: Sequence[str], device: str
) -> list[Case]:
    """
    Raises:
        HarnessError: for a device that is not there or has no such precision, and for an unknown algorithm.
    """
    unknown = next((name for name in algorithms if name not in ALGORITHMS), None)
    if unknown is not None:
        raise HarnessError(f"unknown algorithm {unknown}; there are {', '.join(ALGORITHMS)}")
    where = _device(device)
    if "tf32" in precisions and where.type == "cpu":
        raise HarnessError("precision tf32: only GPUs have it; use --device cuda")
    return [
        Case(algorithm, pack, precision, where)
        for algorithm in algorithms
        for precision in precisions
        for pack in packs
    ]


def _device(name: str) -> torch.device:
    unknown = HarnessError(f"device {name}: the bench knows {' and '.join(PEAK_SIZES)}")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise unknown from None
    if device.type not in PEAK_SIZES:
        raise unknown
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        found = f"{count} GPU{'s' * (count > 1)}" if count else "no CUDA"
        raise HarnessError(f"device {name}: torch {torch.__version__} finds {found} here; use --device cpu")
    return device


def measure(chosen: Sequence[Case], seconds: float) -> Iterator[Measurement]:
    """Each case for about so many seconds, the contenders in turn."""
    for case in chosen:
        with one_core():
            yield _measure(case, seconds)


def _measure(case: Case, seconds: float) -> Measurement:
    clock, turn = clock_of(case.device), min(TURN_SECONDS, seconds / 10)
    if case.device.type == "cuda":
        gc.collect()  # a learner and its graphs hold on to each other
        torch.cuda.reset_peak_memory_stats(case.device)
    transitions = made_up_transitions()
    learner = new_learner(case, torch.from_numpy(transitions))
    # On a GPU the numbers of a whole chunk are drawn at once: every turn has its share of that.
    ours = _Turns(learner.train, turn, CHUNK if case.device.type == "cuda" else SAMPLED_AT_ONCE)
    ours.warm_up(clock)
    details = {}
    contenders: dict[str, Any] = {"ours": ours}
    if case.device.type == "cuda":
        details["memory GiB"] = torch.cuda.max_memory_allocated(case.device) / 2**30
        fast = "bf16" if case.precision == "bf16" else "tf32"
        peaks = {"sgemm": "fp32", fast: fast}
    else:
        peaks = {"sgemm": "fp32"}
        plain = textbook(case.algorithm, transitions, STATES, ACTIONS, 1.0)
        contenders["textbook"] = _Turns(plain.train, turn, SAMPLED_AT_ONCE)
    contenders |= {name: _MatrixProducts(case.device, precision) for name, precision in peaks.items()}
    for contender in contenders.values():
        contender.warm_up(clock)
    rounds = rates_in_turn(contenders, seconds, clock)
    work = flops_per_step(learner.hyperparameters) * case.pack
    for name in peaks:
        details[f"{name} peak GFLOP/s"] = _median_ratio(rounds, name, None) / 1e9
        details[f"fraction of {name} peak"] = work * _median_ratio(rounds, "ours", name)
    compared = {}
    if "textbook" in contenders:
        compared = {
            "textbook": _median_ratio(rounds, "textbook", None),
            "ratio": case.pack * _median_ratio(rounds, "ours", "textbook"),
        }
    rate = case.pack * _median_ratio(rounds, "ours", None)
    unit = "steps/s" if case.pack == 1 else "seed-steps/s"
    return Measurement("gradient steps", case.name, unit, rate, **compared, details=details)


def _median_ratio(rounds: list[dict[str, float]], name: str, other: str | None) -> float:
    return median(rounds, lambda rates: rates[name] / (rates[other] if other else 1))


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
    """Gradient steps, as many times `unit` of them as fill a turn."""

    def __init__(self, train: Callable[[int], None], seconds: float, unit: int) -> None:
        self._train = train
        self._seconds = seconds
        self._unit = unit
        self._steps = unit

    def warm_up(self, clock: Clock) -> None:
        self._train(self._steps)
        took = 0.0
        while took < self._seconds / 4:
            started = clock()
            self._train(self._steps)
            took = clock() - started
            self._steps *= 2
        units = int(self._steps / 2 * self._seconds / took) // self._unit
        self._steps = self._unit * max(1, units)

    def __call__(self) -> float:
        self._train(self._steps)
        return self._steps


class _MatrixProducts:
    """Products of square matrices, of the size that goes fastest."""

    def __init__(self, device: torch.device, precision: str = "fp32") -> None:
        self._device = device
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._tf32 = precision == "tf32"
        self._size = PEAK_SIZES[device.type][0]

    def warm_up(self, clock: Clock) -> None:
        rates = {}
        for size in PEAK_SIZES[self._device.type]:
            self._size = size
            self()
            rates[size] = max(self._rate(clock) for _ in range(3))
        self._size = max(rates, key=lambda size: rates[size])

    def __call__(self) -> float:
        factor = torch.ones(self._size, self._size, device=self._device, dtype=self._dtype)
        product = torch.empty_like(factor)
        times = max(1, int((2e9 if self._device.type == "cpu" else 2e13) / self._size**3 / 2))
        with tf32_products(self._tf32):
            for _ in range(times):
                torch.mm(factor, factor, out=product)
        return 2.0 * self._size**3 * times

    def _rate(self, clock: Clock) -> float:
        started = clock()
        return self() / (clock() - started)


def _products(*sizes: int) -> list[int]:
    return [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]


def _training(products: list[int]) -> int:
    """Forward, the weights' derivatives, and the inputs' of all layers but the first."""
    return 3 * sum(products) - products[0]
