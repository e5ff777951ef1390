"""Runs the trials of an experiment that have no result yet, and records the run."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from harness.errors import HarnessError
from harness.storage import estimates, provenance
from harness.storage.lease import Lease
from harness.storage.manifest import DatasetFacts, Run
from harness.storage.run_directory import RunDirectory
from harness.tuning import cluster, preflight, runtime_env
from harness.tuning.display import open_display
from harness.tuning.machines import MUST_MATCH
from harness.tuning.plan import Plan
from harness.tuning.ray_session import ray_session
from harness.tuning.signals import InterruptedRunError, Signals
from harness.tuning.summary import counted

Train = Callable[[Plan, Lease], int | None]
"""Trains the missing trials and estimates their values; returns the exit status after a signal."""


def run(plan: Plan, say: Callable[[str], None] = print, train: Train | None = None) -> int | None:
    """Run the missing trials, with Ray Tune by default, and assemble the results of the finished ones.

    Returns the exit status after a signal, None without one. The progress of the plan is then up to date.

    Raises:
        HarnessError: if another driver is running there, or the run cannot start or continue.
    """
    results, selection = plan.results, plan.progress.selection
    lease = Lease.acquire(results.store, say)
    try:
        results.require_unchanged()
        checked = preflight.check(plan)
        _warn_of_changed_versions(results, say)
        if lease.superseded():
            raise HarnessError(f"{results.store.target}: another driver has taken over")
        damaged = estimates.discard_damaged(results, plan.trials)
        with _recorded(plan, lease, checked):
            if plan.missing or damaged or (selection is not None and selection.missing):
                return (train or _tune)(plan, lease)
            return None
    finally:
        lease.release()


def _tune(plan: Plan, lease: Lease) -> int | None:
    """Train the missing trials and estimate their values; return the exit status after a signal."""
    options = plan.options
    advice = f"Resume with: harness resume {shlex.quote(plan.results.store.target)}"
    with (
        ray_session(advice, has_logs=options.local, on_loss=lease.release) as session,
        _silence_third_party_output(options.debug) as output,
        open_display(plan.progress, output) as display,
    ):
        environment = options.runtime_env
        if options.address:
            display.prepare(f"Connecting to the Ray cluster at {options.address}")
            environment = runtime_env.with_modules(
                environment, options.module_folders, plan.trials, session.folder
            )
        else:
            workers = counted(plan.concurrency.workers, "worker") if plan.concurrency else ""
            display.prepare(f"Starting Ray on this machine{f': {workers}' if plan.missing else ''}")
        with (
            cluster.connected(options.address, session, environment, options.debug),
            Signals.caught() as signals,
        ):
            from harness.tuning import selection, tune_run  # they import Ray

            if options.address:
                display.say(cluster.describe_cluster())
            try:
                if plan.missing:
                    tune_run.train(plan, lease, session.folder, signals, display)
                else:
                    display.begin(concurrency=0)  # only estimates are missing
                complete = selection.run(plan.results, options, lease, signals, display.say)
            except InterruptedRunError as error:
                return error.status
            session.failed = bool(plan.progress.failed()) or not complete
    return None


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


@contextmanager
def _recorded(plan: Plan, lease: Lease, checked: preflight.Checked) -> Iterator[None]:
    """Record a run in the manifest and, when the block ends, the tables and the end of the run."""
    results, options = plan.results, plan.options
    entry: Run = {
        "started": provenance.now(),
        "ended": None,
        "address": options.address,
        "module_folders": list(options.module_folders),
        "driver": lease.number,
        "selected": results.selected_keys(),
        "git_commit": provenance.git_commit(),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }
    facts: dict[str, DatasetFacts] = {name: {"digest": digest} for name, digest in checked.digests.items()}
    for name, source in checked.environment_sources.items():
        facts.setdefault(name, {})["environment_source"] = source
    results.save(runs=[*results.manifest.get("runs", []), entry], datasets=_with_facts(results, facts))
    try:
        yield
    finally:
        if not lease.superseded():
            from harness.storage.assembly import assemble  # imports pandas, which takes a while

            finished = assemble(results)
            entry["ended"] = provenance.now()
            facts = {
                result["dataset"]: {
                    "digest": result["dataset_digest"],
                    "transitions": result["transitions"],
                    "environment": result["environment"],
                }
                for result in finished.values()
            }
            results.save(datasets=_with_facts(results, facts))


def _with_facts(results: RunDirectory, facts: Mapping[str, DatasetFacts]) -> dict[str, DatasetFacts]:
    """Return what the manifest has on datasets, with more facts, in the order of their names."""
    known = results.manifest.get("datasets", {})
    return {name: known.get(name, {}) | facts.get(name, {}) for name in sorted({*known, *facts})}


def _warn_of_changed_versions(results: RunDirectory, say: Callable[[str], None]) -> None:
    runs = results.manifest.get("runs", [])
    before, now = runs[-1].get("versions", {}) if runs else {}, provenance.versions()
    changed = [
        f"{name} {before[name]} -> {now.get(name)}"
        for name in MUST_MATCH
        if name in before and before[name] != now.get(name)
    ]
    if changed:
        say(f"note: versions have changed since the last run ({', '.join(changed)}); results may differ")
