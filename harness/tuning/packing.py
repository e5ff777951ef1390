"""Groups trials that share a process: many on a GPU, to use it fully, and one on a CPU core."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from harness.datasets import registry
from harness.datasets.settings import DatasetSettings
from harness.trial import Trial
from harness.tuning.capacity import Capacity
from harness.tuning.settings import TrialResources

MAX_PACK_SIZE = 64
"""The largest pack of `auto`. Larger ones gain little, and put more work at risk in one process."""
NO_CHECKPOINT = frozenset({0})
NO_LIMITS: Mapping[str, int] = {}


@dataclass(frozen=True)
class TrialPack:
    """Trials that are trained side by side by one process."""

    trials: tuple[Trial, ...]
    request: TrialResources
    until: int | None = None
    """The gradient step at which they pause; None to train to the end."""


def _expected_work(pack: TrialPack) -> int:
    """Return about how many multiplications the gradient steps take.

    Each step takes batch size times network size times number of networks.
    """
    trial = pack.trials[0]
    settings, steps = trial.hyperparameters, pack.until or trial.training.gradient_steps
    per_step = settings.batch_size * network_size(trial) * settings.network_counts.per_step
    return len(pack.trials) * steps * per_step


def network_size(trial: Trial) -> int:
    """Return about how many weights each network of a trial has, assuming 20 inputs and outputs."""
    widths = trial.hyperparameters.hidden_sizes
    return sum(a * b for a, b in itertools.pairwise(widths)) + 20 * (widths[0] + widths[-1])


def make_packs(
    trials: Sequence[Trial],
    requests: Mapping[str, TrialResources],
    capacity: Capacity,
    steps: Mapping[str, frozenset[int]],
    until: Mapping[str, int] = NO_LIMITS,
) -> list[TrialPack]:
    """Group the trials into packs, those with the most work first, so that none of these runs last and alone.

    Args:
        trials: the trials to train.
        requests: the resources of a pack, by variant.
        capacity: the resources of the machines.
        steps: the steps of the checkpoints, by trial key; a pack continues from a step that all have.
        until: the gradient step at which a trial pauses, by its key; the same for all of a variant.
    """
    packs = []
    on_gpus = sum(bool(requests[trial.algorithm].gpus) for trial in trials)
    for group in _compatible_groups(trials):
        request = requests[group[0].algorithm]
        size = pack_size(request, on_gpus, capacity)
        for together in _groups_with_common_checkpoint(group, steps) if size > 1 else [group]:
            limit = until.get(group[0].key)
            packs += [TrialPack(tuple(part), request, limit) for part in _even_parts(together, size)]
    return sorted(packs, key=_expected_work, reverse=True)


class Concurrency(NamedTuple):
    """How many trials and workers run at the same time, once all workers have started."""

    workers: int
    trials: int


def concurrency(
    trials: Sequence[Trial], requests: Mapping[str, TrialResources], capacity: Capacity
) -> Concurrency:
    """Return how many workers train how many of the trials at the same time (arguments as `make_packs`)."""
    packs = make_packs(trials, requests, capacity, steps={})
    slots = [capacity.concurrent_packs(pack.request) for pack in packs]
    together = [count * len(pack.trials) for count, pack in zip(slots, packs, strict=True)]
    return Concurrency(min(max(slots, default=0), len(packs)), min(max(together, default=0), len(trials)))


def _compatible_groups(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Group the trials that may share a pack: the same algorithm and settings, and data of the same shape."""
    groups: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.pack_settings, *_sizes(trial.dataset)), []).append(trial)
    return list(groups.values())


def _sizes(dataset: DatasetSettings) -> tuple[object, ...]:
    registered = registry.registered().get(dataset.name) if dataset.path is None else None
    if registered is None or dataset.environment is not None:
        return (dataset.name, dataset.environment)
    task = registered.task
    return (task.observation_size, task.action_size, task.action_limit)


def pack_size(request: TrialResources, on_gpus: int, capacity: Capacity) -> int:
    """Return the largest pack with this request if so many trials are to run on GPUs."""
    if isinstance(request.pack, int):
        return request.pack
    if not request.gpus:
        return 1
    return min(MAX_PACK_SIZE, ceil(on_gpus / max(1, capacity.concurrent_packs(request))))


def _groups_with_common_checkpoint(
    trials: Sequence[Trial], steps: Mapping[str, frozenset[int]]
) -> list[list[Trial]]:
    """Group trials that have a checkpoint at a common step, so that none has to fall back for another."""
    groups: list[list[Trial]] = []
    common: frozenset[int] = frozenset()
    own = {trial.key: steps.get(trial.key, NO_CHECKPOINT) for trial in trials}
    for trial in sorted(trials, key=lambda trial: max(own[trial.key]), reverse=True):
        if not common & own[trial.key]:
            groups.append([])
            common = own[trial.key]
        common &= own[trial.key]
        groups[-1].append(trial)
    return groups


def _even_parts(trials: Sequence[Trial], largest: int) -> list[Sequence[Trial]]:
    count = ceil(len(trials) / largest)
    bounds = [len(trials) * part // count for part in range(count + 1)]
    return [trials[start:end] for start, end in itertools.pairwise(bounds)]
