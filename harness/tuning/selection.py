"""The stage of a run after training: estimates the values of policies from data alone, as Ray tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import ray
from pydantic import BaseModel, ConfigDict, Field
from ray.exceptions import RayError, RayTaskError

from harness import datasets
from harness.datasets.dataset import OfflineDataset
from harness.datasets.settings import DataSettings
from harness.errors import HarnessError, failure_reason
from harness.policies.files import SavedPolicy
from harness.policies.names import FINAL
from harness.storage import estimates, provenance
from harness.storage.lease import Lease
from harness.storage.policies import StoredPolicy
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import Store, absolute_target, open_store, with_retries
from harness.storage.trial_record import TrialRecord
from harness.training.settings import SelectionSettings
from harness.trial import Trial
from harness.tuning.capacity import Capacity
from harness.tuning.display import LINE_SECONDS
from harness.tuning.launch import Options
from harness.tuning.machines import check_versions
from harness.tuning.packing import pack_size
from harness.tuning.runtime_env import WorkerPaths
from harness.tuning.settings import ResourceSettings
from harness.tuning.signals import Signals
from harness.tuning.summary import duration

RETRIES = 3
"""How often Ray repeats a task whose process or node died."""
POLL_SECONDS = 0.5


class Estimation(BaseModel):
    """Describes policies of one dataset to evaluate side by side; sent to the worker as JSON."""

    model_config = ConfigDict(frozen=True)

    trials: tuple[Trial, ...] = Field(min_length=1)
    """Finished trials on the same dataset."""
    store: str
    data: DataSettings
    """The experiment's data settings: values are sums of its rewards, even if a variant rescales them."""
    settings: SelectionSettings
    versions: dict[str, str]
    device: str = "cpu"


def run(
    results: RunDirectory, options: Options, lease: Lease, signals: Signals, say: Callable[[str], None]
) -> bool:
    """Estimate the values of the policies of finished trials that have no estimate yet.

    Each estimate is committed as soon as it is complete, so the next run continues with the missing ones if
    this one is killed. A signal ends the stage at once. Returns whether all estimates exist.

    Raises:
        InterruptedRunError: on a signal.
        HarnessError: if no machine has the requested resources, or another driver has taken over.
    """
    progress = estimates.scan(results, results.selected_trials())
    if progress is None or not progress.missing:
        return True
    request = results.experiment.resources.model_copy(update={"evaluators": 0})
    capacity = Capacity.of_cluster()
    capacity.require_room({progress.method: request})
    size = pack_size(request, len(progress.missing), capacity)
    tasks = _submit(results, options, request, _packs(progress.missing, size))
    total, started, next_line = len(progress.missing), time.monotonic(), 0.0
    failed = 0
    say(f"{progress.method}: estimating the values of {total} policies from data alone")
    while tasks:
        ready, _ = ray.wait(list(tasks), timeout=POLL_SECONDS)
        signals.raise_if_received()
        if lease.lost:
            raise HarnessError(f"{results.store.target}: another driver has taken over")
        for reference in ready:
            trials = tasks.pop(reference)
            if (reason := _failure(reference)) is not None:
                failed += len(trials)
                say(f"failed {progress.method} of {_named(trials)}: {reason}")
        done, elapsed = total - sum(map(len, tasks.values())), time.monotonic() - started
        if elapsed >= next_line + LINE_SECONDS and done < total:
            next_line = elapsed
            left = f" | {duration(elapsed / done * (total - done))} left" if done else ""
            say(f"{progress.method}: {done} of {total} policies{left}")
    say(f"{progress.method}: {total - failed} of {total} policies in {duration(time.monotonic() - started)}")
    return not failed


def _submit(
    results: RunDirectory, options: Options, request: ResourceSettings, packs: Iterator[Sequence[Trial]]
) -> dict[ray.ObjectRef[None], Sequence[Trial]]:
    """Start a Ray task for each pack; return the trials of the tasks by reference."""
    settings = results.experiment.selection
    assert settings is not None
    remote = ray.remote(
        num_cpus=request.cpus, num_gpus=request.gpus, memory=request.memory or 0, max_retries=RETRIES
    )(_estimate)
    tasks = {}
    for trials in packs:
        work = Estimation(
            trials=tuple(trials),
            store=absolute_target(results.store),
            data=results.experiment.data,
            settings=settings,
            versions=provenance.versions(),
            device="cuda" if request.gpus else "cpu",
        )
        tasks[remote.remote(work.model_dump_json(), options.worker_paths)] = trials
    return tasks


def _packs(missing: Sequence[Trial], size: int) -> Iterator[Sequence[Trial]]:
    """Yield the policies that one process evaluates side by side: of one dataset, and many on a GPU."""
    by_dataset: dict[str, list[Trial]] = {}
    for trial in missing:
        by_dataset.setdefault(trial.dataset.name, []).append(trial)
    for trials in by_dataset.values():
        for start in range(0, len(trials), size):
            yield trials[start : start + size]


def _estimate(work: str, paths: WorkerPaths) -> None:
    """Run an estimation in a Ray worker."""
    paths.enter()
    import torch

    torch.set_num_threads(1)
    estimate(Estimation.model_validate_json(work))


def estimate(work: Estimation) -> None:
    """Evaluate the final policies of trials from data alone, and commit the estimates."""
    from harness.training import fitted_q

    check_versions(work.versions)
    store = open_store(work.store)
    started = time.perf_counter()
    dataset = datasets.load(work.trials[0].dataset, work.data)
    policies = [_load_policy(store, trial, dataset, work.data) for trial in work.trials]
    found = fitted_q.evaluate(policies, dataset, work.settings, work.device)
    seconds = (time.perf_counter() - started) / len(policies)
    for trial, fitted in zip(work.trials, found, strict=True):
        record = TrialRecord(store, trial)
        content: estimates.Estimate = {
            "trial": record.digest,
            "value": fitted.value,
            "td_error": fitted.td_error,
            "seconds": seconds,
        }
        with_retries(partial(estimates.commit, record, work.settings, content))


def _load_policy(store: Store, trial: Trial, dataset: OfflineDataset, data: DataSettings) -> SavedPolicy:
    policy = StoredPolicy(store, trial, FINAL).load()
    if trial.data == data and policy.info.dataset_digest != dataset.digest:
        raise HarnessError(
            f"{policy.source}: was trained on different transitions than {dataset.name} has here"
        )
    return policy


def _failure(reference: ray.ObjectRef[None]) -> str | None:
    """Return why a task failed, in one line; None if it did not."""
    try:
        ray.get(reference)
    except RayTaskError as error:
        return failure_reason(error.cause)
    except RayError:
        return f"its process died {RETRIES + 1} times (out of memory?)"
    return None


def _named(trials: Sequence[Trial]) -> str:
    more = f" and {len(trials) - 1} more" if len(trials) > 1 else ""
    return f"{trials[0].algorithm} on {trials[0].dataset.name}, seed {trials[0].seed}{more}"
