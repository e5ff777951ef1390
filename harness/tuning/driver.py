"""Runs the trials of an experiment that have no result yet, with Ray Tune."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from harness.errors import HarnessError
from harness.storage import estimates, provenance
from harness.storage.lease import Lease
from harness.storage.manifest import Run
from harness.storage.progress import Progress
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import absolute_target
from harness.storage.trial_record import TRIALS, checkpoint_steps
from harness.storage.trial_result import TrialResult
from harness.trial import Trial
from harness.tuning import assignment, preflight
from harness.tuning.assignment import Assignment
from harness.tuning.packing import TrialPack, concurrency, make_packs
from harness.tuning.plan import Plan
from harness.tuning.summary import counted
from harness.tuning.waves import waiting_work

if TYPE_CHECKING:
    from harness.tuning.display import Display
    from harness.tuning.monitor import Monitor
    from harness.tuning.signals import Signals

MAX_WORKER_RESTARTS = 10
"""How often Tune restarts a pack whose worker or node died."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run."""

    progress: Progress
    interrupted: int | None = None
    """The exit status after a signal; None without one."""


Train = Callable[[Plan, Lease], int | None]
"""Trains the missing trials and estimates their values; returns the exit status after a signal."""


def run(plan: Plan, say: Callable[[str], None] = print, train: Train | None = None) -> Outcome:
    """Run the missing trials, and assemble the results of the finished ones.

    Args:
        plan: the plan that `preflight.plan` returned.
        say: prints one line for the user.
        train: trains the missing trials; by default with Ray Tune.

    Raises:
        HarnessError: if another driver is running there, or the run cannot start or continue.
    """
    lease = Lease.acquire(plan.results.store, say)
    try:
        plan.results.require_unchanged()
        return _run(plan, lease, say, train or _tune)
    finally:
        lease.release()


def _run(plan: Plan, lease: Lease, say: Callable[[str], None], train: Train) -> Outcome:
    results, selection = plan.results, plan.progress.selection
    checked = preflight.check(plan)
    _warn_of_changed_versions(results, say)
    if lease.superseded():
        raise HarnessError(f"{results.store.target}: another driver has taken over")
    damaged = estimates.discard_damaged(results, plan.trials)
    entry = _open_entry(plan, lease, checked)
    interrupted = None
    try:
        if plan.missing or damaged or (selection is not None and selection.missing):
            interrupted = train(plan, lease)
    finally:
        if not lease.superseded():
            _close_entry(results, entry)
    return Outcome(plan.progress, interrupted)


def _tune(plan: Plan, lease: Lease) -> int | None:
    """Train the missing trials and estimate their values; return the exit status after a signal."""
    from harness.tuning import cluster, shipping
    from harness.tuning.display import open_display
    from harness.tuning.ray_session import ray_session
    from harness.tuning.signals import InterruptedRunError, Signals, exit_immediately
    from harness.tuning.watchdog import Watchdog

    options = plan.options

    def lost(reason: str) -> None:
        """End the process, which cannot continue or stop cleanly without Ray. The record is safe."""
        lease.release()
        watchdog.report(reason)
        exit_immediately(1)

    with (
        ray_session(has_logs=options.local) as session,
        Watchdog(
            f"Resume with: harness resume {shlex.quote(plan.results.store.target)}",
            session.folder,
            options.local,
        ) as watchdog,
        _silence_third_party_output(options.debug) as output,
        open_display(plan.progress, output) as display,
    ):
        runtime_env = options.runtime_env
        if options.address:
            display.prepare(f"Connecting to the Ray cluster at {options.address}")
            runtime_env = shipping.add_to_runtime_env(
                runtime_env, options.module_folders, plan.trials, session.folder
            )
        else:
            workers = counted(plan.concurrency.workers, "worker") if plan.concurrency else ""
            display.prepare(f"Starting Ray on this machine{f': {workers}' if plan.missing else ''}")
        with (
            cluster.connected(options.address, session, lost, runtime_env, options.debug),
            Signals.caught() as signals,
        ):
            if options.address:
                display.say(cluster.describe_cluster())
            try:
                with session.kept_on_failure():
                    if plan.missing:
                        _train(plan, lease, session.folder, signals, display)
                    complete = _estimate(plan, lease, signals, display)
            except InterruptedRunError as error:
                return error.status
            session.failed = bool(plan.progress.failed()) or not complete
    return None


def _train(plan: Plan, lease: Lease, scratch: Path, signals: Signals, display: Display) -> None:
    """Train the missing trials in packs.

    Raises:
        InterruptedRunError: on a signal, after the trials have saved their state.
        HarnessError: if the run cannot continue.
    """
    from harness.tuning import machines
    from harness.tuning.capacity import Capacity
    from harness.tuning.monitor import Monitor
    from harness.tuning.trackers import make_trackers

    results, missing = plan.results, plan.missing
    capacity = Capacity.of_cluster()
    requests = capacity.requests(
        results.experiment.resources, dict.fromkeys(trial.algorithm for trial in missing)
    )
    if plan.options.address:
        machines.require_equal_machines(results.store.target, provenance.versions())
    if capacity.gpus and not any(request.gpus for request in requests.values()):
        display.say(f"note: idle GPUs: {capacity.gpus:g}; to use them: --set resources.gpus=1")
    display.begin(concurrency(missing, requests.__getitem__, capacity.concurrent_packs).trials)
    monitor = Monitor(
        results,
        lease,
        plan.progress,
        display,
        signals,
        lambda: None if lease.superseded() else _assemble(results),
        partial(
            make_trackers,
            results.experiment.name,
            results.store.target,
            plan.options.wandb,
            plan.options.mlflow,
        ),
    )

    def configs(trials: Sequence[Trial], until: Mapping[str, int]) -> list[dict[str, Any]]:
        kept = checkpoint_steps(results.store.names(TRIALS))
        packs = make_packs(trials, requests.__getitem__, capacity.concurrent_packs, kept, until)
        return [_config(plan, lease, pack) for pack in packs]

    work = waiting_work(results, plan.progress, missing, configs, monitor.say)
    try:
        _fit(monitor, monitor.guard(work), scratch)
    finally:
        monitor.close()


def _estimate(plan: Plan, lease: Lease, signals: Signals, display: Display) -> bool:
    """Estimate the values of policies if the experiment requests it; return whether all estimates exist.

    Raises:
        InterruptedRunError: on a signal.
        HarnessError: if the run cannot continue.
    """
    if plan.results.experiment.selection is None:
        return True
    from harness.tuning import selection

    return selection.run(plan.results, plan.options, lease, signals, display.say)


@contextmanager
def _silence_third_party_output(debug: bool) -> Iterator[TextIO]:
    """Yield the output for this package, and discard that of Ray's threads except in debug mode."""
    output = sys.stdout
    if debug:
        yield output
        return
    for name in ("ray.tune", "ray.train", "ray.air"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with open(os.devnull, "w") as null, redirect_stdout(null), redirect_stderr(null):  # noqa: PTH123
        yield output


def _fit(monitor: Monitor, configs: Iterator[dict[str, Any] | None], scratch: Path) -> None:
    """Run the packs that the configurations describe with Tune.

    Raises:
        HarnessError: if the run cannot continue.
    """
    from ray import tune

    from harness.tuning import ray_internals
    from harness.tuning.monitor import StopRunError
    from harness.tuning.tune_adapters import WaitingPacks, Worker

    ray_internals.skip_callback_statistics()
    tuner = tune.Tuner(
        tune.with_resources(
            Worker,
            lambda config: tune.PlacementGroupFactory(config["bundles"], strategy="STRICT_PACK"),
        ),
        tune_config=tune.TuneConfig(
            search_alg=WaitingPacks(configs),
            num_samples=-1,  # until there are no more
            reuse_actors=True,
            trial_name_creator=lambda trial: str(trial.config["name"]),
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(scratch),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=MAX_WORKER_RESTARTS),
            callbacks=[monitor],
            verbose=0,
        ),
    )
    try:
        tuner.fit()
    except StopRunError as error:
        raise HarnessError(str(error)) from None


def _config(plan: Plan, lease: Lease, pack: TrialPack) -> dict[str, Any]:
    """Describe a pack for Tune, and for the worker that trains it."""
    from harness.tuning.capacity import bundles

    experiment, options, request = plan.results.experiment, plan.options, pack.request
    assigned = Assignment(
        trials=pack.trials,
        store=absolute_target(plan.results.store),
        experiment=experiment.name,
        driver=lease.number,
        versions=provenance.versions(),
        device="cuda" if request.gpus else "cpu",
        evaluators=request.evaluators,
        checkpoint_seconds=experiment.resources.checkpoint_seconds,
        interval_seconds=request.interval_seconds,
        until=pack.until,
        pack=options.pack,
    )
    return {
        "name": pack.name,
        "keys": [trial.key for trial in pack.trials],
        "bundles": bundles(request),
        "paths": asdict(options.worker_paths),
        "assignment": assigned.model_dump_json(),
    }


def _open_entry(plan: Plan, lease: Lease, checked: preflight.Checked) -> Run:
    results, options = plan.results, plan.options
    entry: Run = {
        "started": provenance.now(),
        "ended": None,
        "address": options.address,
        "module_folders": list(options.module_folders),
        "driver": lease.number,
        "selected": results.selection(),
        "git_commit": provenance.git_commit(),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }
    facts = {name: {"digest": digest} for name, digest in checked.digests.items()}
    for name, source in checked.environment_sources.items():
        facts[name] = facts.get(name, {}) | {"environment_source": source}
    results.save(runs=[*results.manifest.get("runs", []), entry], datasets=_with_facts(results, facts))
    return entry


def _close_entry(results: RunDirectory, entry: Run) -> None:
    """Write the tables, and record that the run has ended."""
    finished = _assemble(results)
    entry["ended"] = provenance.now()
    datasets = {
        result["dataset"]: {
            "digest": result["dataset_digest"],
            "transitions": result["transitions"],
            "environment": result["environment"],
        }
        for result in finished.values()
    }
    results.save(datasets=_with_facts(results, datasets))


def _with_facts(results: RunDirectory, facts: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what the manifest has on datasets, with more facts, in the order of their names."""
    known = results.manifest.get("datasets", {})
    return {name: known.get(name, {}) | facts.get(name, {}) for name in sorted({*known, *facts})}


def _assemble(results: RunDirectory) -> dict[str, TrialResult]:
    """Write the tables of the finished trials, and return their results by trial key."""
    from harness.storage import assembly  # imports pandas, which takes a while

    finished = results.finished(results.requested_trials())
    if finished:
        assembly.assemble(results, finished)
    return finished


def _warn_of_changed_versions(results: RunDirectory, say: Callable[[str], None]) -> None:
    runs = results.manifest.get("runs", [])
    if not runs:
        return
    before, now = runs[-1].get("versions", {}), provenance.versions()
    changed = [
        f"{name} {before[name]} -> {now.get(name)}"
        for name in assignment.MUST_MATCH
        if name in before and before[name] != now.get(name)
    ]
    if changed:
        say(f"note: versions have changed since the last run ({', '.join(changed)}); results may differ")
