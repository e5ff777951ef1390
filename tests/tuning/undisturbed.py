"""Computes the tables of an undisturbed run, without Ray and without waiting."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from harness import experiment_file
from harness.storage import assembly
from harness.storage.provenance import versions
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.trial import Trial
from harness.tuning.attempt import Attempt
from harness.tuning.messages import Assignment
from tests.faults import fake
from tests.faults.sweep import Sweep


def undisturbed_tables(sweep: Sweep, folder: Path) -> tuple[bytes, str]:
    """Return the tables of the sweep's experiment, with each trial run once in this process."""
    undisturbed = Sweep(folder)
    results = RunDirectory.prepare(open_store(undisturbed.target), experiment_file.load(sweep.file), [])
    with mock.patch.object(fake, "STEP_SECONDS", 0.0):
        for trial in results.requested_trials():
            complete(trial, undisturbed.target, "tests.faults.fake:FakePack")
    assembly.assemble(results)
    return undisturbed.tables()


def complete(trial: Trial, target: str, pack: str) -> None:
    """Run an attempt at the trial to its end."""
    attempt = Attempt(Assignment(trials=[trial], store=target, driver=1, versions=versions(), pack=pack))
    while not attempt.advance()["done"]:
        pass
    attempt.close()
