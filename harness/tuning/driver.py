"""Runs the trials of an experiment that have no result yet, with Ray Tune."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from harness.errors import HarnessError
from harness.storage import provenance
from harness.storage.lease import Lease
from harness.storage.manifest import Run
from harness.storage.progress import Progress, scan
from harness.storage.run_directory import RunDirectory
from harness.storage.trial_record import TRIALS, checkpoint_steps
from harness.storage.trial_result import TrialResult
from harness.trial import Trial
from harness.tuning import assignment, preflight
from harness.tuning.assignment import Assignment
from harness.tuning.launch import Options
from harness.tuning.packing import TrialPack, make_packs

MAX_WORKER_RESTARTS = 10
"""How often Tune restarts a pack whose worker or node died."""


@dataclass(frozen=True)
class Outcome:
    progress: Progress
    interrupted: int | None = None
    """The exit status that a signal asks for."""


def run(results: RunDirectory, options: Options, say: Callable[[str], None] = print) -> Outcome:
    """Run what is missing, and assemble what is finished.

    Raises:
        HarnessError: when another driver is at work there, or the run cannot start or go on.
    """
    lease = Lease.acquire(results.store, say)
    try:
        results.require_unchanged()
        return _run(results, options, lease, say)
    finally:
        lease.release()


def _run(results: RunDirectory, options: Options, lease: Lease, say: Callable[[str], None]) -> Outcome:
    progress = scan(results)
    missing = [trial for trial in results.selected_trials() if progress.by_key[trial.key].state != "done"]
    preflight.check_trials(missing, options, results.experiment.resources)
    _warn_of_other_versions(results, say)
    if lease.superseded():
        raise HarnessError(f"{results.store.target}: another driver has taken over")
    entry = _open_entry(results, options)
    for trial in progress.failed():
        trial.state, trial.reason = "waiting", None
    interrupted = None
    try:
        if missing:
            interrupted = _tune(results, options, lease, progress, missing)
    finally:
        if not lease.superseded():
            _close_entry(results, entry)
    return Outcome(progress, interrupted)


def _tune(
    results: RunDirectory, options: Options, lease: Lease, progress: Progress, missing: Sequence[Trial]
) -> int | None:
    """Returns the exit status that a signal asks for, or None."""
    from harness.tuning import capacity, cluster
    from harness.tuning.display import open_display
    from harness.tuning.signals import InterruptedRunError, Signals, leave_now

    words = sys.stderr

    def lost(reason: str) -> None:
        """Without its head the driver can neither go on nor stop in order; the record is safe."""
        lease.release()
        target = results.store.target
        print(f"harness: error: {reason}. Resume with: harness resume {target}", file=words, flush=True)
        leave_now(1)

    resources = results.experiment.resources
    columns = dict.fromkeys(trial.algorithm for trial in missing)
    with (
        _own_words_only(options.debug) as output,
        cluster.connected(options.address, lost, options.runtime_env, options.debug),
        Signals.caught() as signals,
    ):
        requests = {column: capacity.with_evaluators(resources.of(column)) for column in columns}
        capacity.require_room(list(requests.items()))
        if options.address:
            cluster.require_equal_machines(results.store.target, provenance.versions())
        idle = capacity.gpus() if not any(request.gpus for request in requests.values()) else 0
        if idle:
            print(f"note: {idle:g} GPUs are idle; --set resources.gpus=1 trains there", file=output)
        steps = checkpoint_steps(results.store.names(TRIALS))
        packs = make_packs(missing, requests.__getitem__, capacity.slots, steps)
        at_once = max(capacity.slots(pack.request) * len(pack.trials) for pack in packs)
        with open_display(progress, at_once, output) as display:
            try:
                _fit(results, options, lease, progress, packs, display, signals.raise_if_received)
            except InterruptedRunError as error:
                return error.status
    return None


@contextmanager
def _own_words_only(debug: bool) -> Iterator[TextIO]:
    """Where to print while Ray is at work; what its threads print meanwhile goes nowhere, unless in debug."""
    output = sys.stdout
    if debug:
        yield output
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):  # noqa: PTH123
        yield output


def _fit(
    results: RunDirectory,
    options: Options,
    lease: Lease,
    progress: Progress,
    packs: Sequence[TrialPack],
    display: Any,
    interrupted: Callable[[], None],
) -> None:
    from ray import tune

    from harness.tuning.capacity import bundles
    from harness.tuning.monitor import Monitor, StopRunError
    from harness.tuning.waiting_packs import WaitingPacks
    from harness.tuning.worker import Worker

    _count_no_callbacks()
    if not options.debug:
        for name in ("ray.tune", "ray.train", "ray.air"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    monitor = Monitor(
        results,
        lease,
        progress,
        display,
        interrupted,
        lambda: None if lease.superseded() else _assemble(results),
        options.trackers,
    )
    configs = (
        {
            "name": pack.name,
            "keys": [trial.key for trial in pack.trials],
            "bundles": bundles(pack.request),
            "assignment": _assignment(results, lease, pack).model_dump_json(),
        }
        for pack in packs
    )
    with tempfile.TemporaryDirectory(prefix="harness-tune-", ignore_cleanup_errors=True) as scratch:
        tuner = tune.Tuner(
            tune.with_resources(
                Worker,
                lambda config: tune.PlacementGroupFactory(config["bundles"], strategy="STRICT_PACK"),
            ),
            tune_config=tune.TuneConfig(
                search_alg=WaitingPacks(configs),
                num_samples=len(packs),
                reuse_actors=True,
                trial_name_creator=lambda trial: str(trial.config["name"]),
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="run",
                storage_path=scratch,
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
        finally:
            monitor.close()


def _count_no_callbacks() -> None:
    """To count which callbacks are in use, Tune would import every tracker that is installed: seconds, for
    statistics that are off."""
    with suppress(ImportError):
        from ray.air._internal import usage

        usage.tag_callbacks = lambda callbacks: False


def _assignment(results: RunDirectory, lease: Lease, pack: TrialPack) -> Assignment:
    request = pack.request
    target = results.store.target
    return Assignment(
        trials=pack.trials,
        store=target if "://" in target else str(Path(target).absolute()),
        driver=lease.number,
        versions=provenance.versions(),
        device="cuda" if request.gpus else "cpu",
        evaluators=request.evaluators,
        checkpoint_seconds=results.experiment.resources.checkpoint_seconds,
        interval_seconds=request.interval_seconds,
        pack=assignment.PACK,
    )


def _open_entry(results: RunDirectory, options: Options) -> Run:
    entry: Run = {
        "started": provenance.now(),
        "ended": None,
        "address": options.address,
        "git_commit": provenance.git_commit(),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }
    results.save(runs=[*results.manifest.get("runs", []), entry])
    return entry


def _close_entry(results: RunDirectory, entry: Run) -> None:
    """A run has ended in order once its tables are written."""
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
    results.save(datasets=dict(sorted(datasets.items())))


def _assemble(results: RunDirectory) -> dict[str, TrialResult]:
    """Write the tables of what is finished, and return the finished results by trial key."""
    from harness.storage import assembly  # pandas, while no trial waits for it

    finished = results.finished(results.requested_trials())
    if finished:
        assembly.assemble(results, finished)
    return finished


def _warn_of_other_versions(results: RunDirectory, say: Callable[[str], None]) -> None:
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
        say(f"note: versions have changed since the run before ({', '.join(changed)}); results may differ")


__all__ = ["Options", "Outcome", "run"]
