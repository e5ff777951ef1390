"""Gradient steps per second, compared with plain PyTorch and with the peak of the matrix unit."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import torch

from harness.algorithms import (
    Hyperparameters,
    Learner,
    TrainingData,
    hyperparameters_class,
    learner_class,
    resolve,
)
from harness.algorithms.hyperparameters.bc import BCHyperparameters
from harness.algorithms.hyperparameters.td3 import TD3Hyperparameters
from harness.algorithms.made_up_data import made_up_data
from harness.algorithms.numerics import tf32_products
from harness.algorithms.sampling import SAMPLED_AT_ONCE
from harness.algorithms.streams import CHUNK
from harness.bench.measuring import Clock, Measurement, clock_of, one_core, rates_in_turn
from harness.errors import HarnessError, first_line

STATES, ACTIONS = 17, 6
TRANSITIONS = 1_000_000
"""The number and sizes of transitions are those of D4RL's halfcheetah-medium."""
TURN_SECONDS = 0.25
PEAK_SIZES = {"cpu": (256, 512), "cuda": (4096, 8192)}


@dataclass(frozen=True)
class Case:
    """A case to measure."""

    algorithm: str
    pack: int
    precision: str
    device: torch.device

    @property
    def name(self) -> str:
        """Return the label of the case."""
        pack = f" x {self.pack} seeds" if self.pack > 1 else ""
        gpu = f" on {torch.cuda.get_device_name(self.device)}" if self.device.type == "cuda" else ""
        return f"{self.algorithm} {self.precision}{pack}{gpu}"


def cases(
    algorithms: Sequence[str], packs: Sequence[int], precisions: Sequence[str], device: str
) -> list[Case]:
    """Return a case for each algorithm, precision and pack; raise a HarnessError for what does not exist."""
    for name in algorithms:
        resolve(name)
    where = _device(device)
    if "tf32" in precisions and where.type == "cpu":
        raise HarnessError("precision tf32 requires a GPU; use --device cuda")
    return [
        Case(algorithm, pack, precision, where)
        for algorithm in algorithms
        for precision in precisions
        for pack in packs
    ]


def _device(name: str) -> torch.device:
    try:
        device = torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise HarnessError(f"device {name}: {first_line(error)}; use --device cpu") from None
    if device.type not in PEAK_SIZES:
        raise HarnessError(f"device {name}: not supported; use {' or '.join(PEAK_SIZES)}")
    return device


def measure(chosen: Sequence[Case], seconds: float) -> Iterator[Measurement]:
    """Measure each case for about this many seconds, the contenders in turn."""
    for case in chosen:
        with one_core():
            yield _measure(case, seconds)


def _measure(case: Case, seconds: float) -> Measurement:
    clock, turn = clock_of(case.device), min(TURN_SECONDS, seconds / 10)
    on_gpu = case.device.type == "cuda"
    if on_gpu:
        gc.collect()  # frees learners and their captured graphs, which form cycles
        torch.cuda.reset_peak_memory_stats(case.device)
    data = transitions()
    # On a GPU the random numbers of a whole chunk are drawn at once, so turns must be multiples of chunks.
    multiple = CHUNK if on_gpu else SAMPLED_AT_ONCE
    contenders = {"ours": _steps_in_a_turn(new_learner(case, data), turn, multiple, clock)}
    details = {}
    peaks = {"sgemm": "fp32"}
    if on_gpu:
        details["memory GiB"] = torch.cuda.max_memory_allocated(case.device) / 2**30
        fast = "bf16" if case.precision == "bf16" else "tf32"
        peaks[fast] = fast
    elif resolve(case.algorithm).fused is not None:
        plain = new_learner(replace(case, pack=1, precision="fp32"), data, implementation="autograd")
        contenders["textbook"] = _steps_in_a_turn(plain, turn, multiple, clock)
    for name, precision in peaks.items():
        for size in PEAK_SIZES[case.device.type]:
            contenders[f"{name} {size}"] = partial(_matrix_products, case.device, precision, size)
    for contender in contenders.values():
        contender()  # lets libraries initialise
    rounds = rates_in_turn(contenders, seconds, clock)
    work = flops_per_step(_hyperparameters(case))
    for name in peaks:
        peak = rounds.filter(regex=f"^{name} ").max(axis=1)
        details[f"{name} peak GFLOP/s"] = peak.median() / 1e9
        if work is not None:
            details[f"fraction of {name} peak"] = work * case.pack * (rounds["ours"] / peak).median()
    compared = {}
    if "textbook" in contenders:
        compared = {
            "textbook": rounds["textbook"].median(),
            "ratio": case.pack * (rounds["ours"] / rounds["textbook"]).median(),
        }
    rate = case.pack * rounds["ours"].median()
    unit = "steps/s" if case.pack == 1 else "seed-steps/s"
    return Measurement("gradient steps", case.name, unit, rate, **compared, details=details)


def flops_per_step(hyperparameters: Hyperparameters) -> float | None:
    """Return a lower bound of the multiplications and additions in the matrix products of a step.

    The step of the policy counts as 1 / `policy_freq`; derivatives with respect to data are not needed.
    Returns None for algorithms other than BC, TD3 and TD3+BC.
    """
    if resolve(hyperparameters.algorithm).fused is None:
        return None
    hidden, rows = hyperparameters.hidden_sizes, hyperparameters.batch_size
    actor, critic = _products(STATES, *hidden, ACTIONS), _products(STATES + ACTIONS, *hidden, 1)
    if isinstance(hyperparameters, BCHyperparameters):
        return 2.0 * rows * _training(actor)
    assert isinstance(hyperparameters, TD3Hyperparameters)
    targets = sum(actor) + 2 * sum(critic)
    through_critic = sum(critic) + sum(critic[1:]) + ACTIONS * hidden[0]
    policy = (_training(actor) + through_critic) / hyperparameters.policy_freq
    return 2.0 * rows * (targets + 2 * _training(critic) + policy)


def transitions(count: int = TRANSITIONS) -> TrainingData:
    """Return made-up transitions with the sizes of HalfCheetah, for any learner."""
    return made_up_data(("next_action",), STATES, ACTIONS, transitions=count)


def new_learner(case: Case, data: TrainingData, implementation: str = "auto") -> Learner:
    """Create a learner with as many seeds as the pack of the case."""
    hyperparameters = _hyperparameters(case, implementation)
    return learner_class(hyperparameters)(hyperparameters, data, range(case.pack), device=case.device)


def _hyperparameters(case: Case, implementation: str = "auto") -> Hyperparameters:
    settings = {"algorithm": case.algorithm, "precision": case.precision, "implementation": implementation}
    return hyperparameters_class(case.algorithm).model_validate(settings)


def _steps_in_a_turn(learner: Learner, seconds: float, multiple: int, clock: Clock) -> Callable[[], float]:
    """Return a function that takes the multiple of so many gradient steps that fills a turn."""
    learner.train(multiple)
    steps, took = multiple, 0.0
    while took < seconds / 4:
        started = clock()
        learner.train(steps)
        took = clock() - started
        steps *= 2
    steps = multiple * max(1, int(steps / 2 * seconds / took) // multiple)

    def turn() -> float:
        learner.train(steps)
        return steps

    return turn


def _matrix_products(device: torch.device, precision: str, size: int) -> float:
    """Multiply square matrices several times; return the number of additions and multiplications."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    factor = torch.ones(size, size, device=device, dtype=dtype)
    product = torch.empty_like(factor)
    times = max(1, int((2e9 if device.type == "cpu" else 2e13) / size**3 / 2))
    with tf32_products(precision == "tf32"):
        for _ in range(times):
            torch.mm(factor, factor, out=product)
    return 2.0 * size**3 * times


def _products(*sizes: int) -> list[int]:
    return [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]


def _training(products: list[int]) -> int:
    """Count forward pass, derivatives of weights, and derivatives of all inputs except the first layer's."""
    return 3 * sum(products) - products[0]
