"""Measures how fast this machine trains, to estimate the duration of a run."""

from __future__ import annotations

import time
from collections.abc import Mapping

from harness.algorithms.hyperparameters import Hyperparameters
from harness.trial import Trial
from harness.tuning import packing
from harness.tuning.capacity import Capacity
from harness.tuning.plan import TYPICAL_SIZES, Plan, Sizes
from harness.tuning.summary import counted, duration

MEASURED_SECONDS, MAX_SECONDS = 1.0, 20.0
"""The time spent on each kind of trial, and on all kinds together."""


def time_line(plan: Plan, sizes: Mapping[str, Sizes]) -> str:
    """Measure the speed of each kind of trial, and return how long the missing trials take on this CPU."""
    kinds: dict[tuple[str, Sizes], list[Trial]] = {}
    for trial in plan.missing:
        settings = trial.hyperparameters.model_dump_json(exclude={"label"})
        kinds.setdefault((settings, sizes.get(trial.dataset.name, TYPICAL_SIZES)), []).append(trial)
    seconds = min(MEASURED_SECONDS, MAX_SECONDS / max(1, len(kinds)))
    for (_, trial_sizes), trials in kinds.items():
        speed = steps_per_second(trials[0].hyperparameters, trial_sizes, seconds)
        for trial in trials:
            plan.progress.by_key[trial.key].steps_per_second = speed
    resources = plan.results.experiment.resources
    here = Capacity.of_this_machine(with_gpus=False)
    requests = {
        variant: resources.of(variant).model_copy(update={"gpus": 0, "evaluators": 0})
        for variant in {trial.algorithm for trial in plan.missing}
    }
    together = max(1, packing.concurrency(plan.missing, requests, here).trials)
    line = (
        f"about {duration(plan.progress.seconds_left(together) or 0.0)} on this machine's CPU, "
        f"{counted(together, 'trial')} at a time (gradient steps as measured now, evaluations not counted)"
    )
    if resources.gpus:
        line += "\non its GPUs: measure the speed of packs with harness bench --device cuda"
    return line


def steps_per_second(hyperparameters: Hyperparameters, sizes: Sizes, seconds: float) -> float:
    """Return the gradient steps per second of one trial on made-up data, measured for `seconds`."""
    import torch

    from harness.algorithms import learner_class
    from harness.algorithms.made_up_data import made_up_data

    torch.set_num_threads(1)
    algorithm = learner_class(hyperparameters)
    learner = algorithm(hyperparameters, made_up_data(algorithm.fields, *sizes), seeds=[0])
    learner.train(10)
    started, before = time.perf_counter(), learner.step
    while time.perf_counter() - started < seconds:
        learner.train(10)
    return (learner.step - before) / (time.perf_counter() - started)
