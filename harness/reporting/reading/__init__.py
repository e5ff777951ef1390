"""Reads results for tables and figures, from a run (finished or not) or from a file of any tool."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pandas as pd

from harness.algorithms import registry
from harness.errors import HarnessError, warn
from harness.reporting.reading import records
from harness.reporting.results import Results
from harness.storage import checksummed_json, estimates, manifest
from harness.storage.assembly import ESTIMATES, EVALUATIONS, estimates_table, evaluations_table
from harness.storage.checksummed_json import DamagedError
from harness.storage.manifest import Manifest
from harness.storage.run_directory import RunDirectory, has_begun
from harness.storage.stores import Store, map_concurrently, open_store
from harness.storage.trial_record import ERROR, TRIALS


def load(source: Path | str) -> Results:
    """Read a results directory (or its URL), or a .csv or .parquet file with one row per evaluation.

    Raises:
        HarnessError: if results are missing, damaged, contradictory or mix two protocols.
    """
    source = str(source)
    if "://" in source or Path(source).is_dir():
        with registry.without_importing():
            return _read_directory(open_store(source))
    path = Path(source)
    if not path.is_file():
        raise HarnessError(f"{source}: no such results directory, CSV or parquet file")
    if path.name == EVALUATIONS:  # its manifest shows that it is a run
        store = open_store(path.parent)
        manifest.require_intact(manifest.read(store), store, EVALUATIONS, path.read_bytes())
    return records.from_frame(records.read_file(path), source)


def _read_directory(store: Store) -> Results:
    """Read the finished part of a run, even while it continues."""
    run = RunDirectory.load(store) if has_begun(store) else None
    content = run.manifest if run else manifest.read(store)
    frame = _evaluations(store, content, run)
    experiment = run.experiment if run else None
    requested = run.requested_trials() if run else []
    results = records.from_frame(frame, store.target, experiment, content, _failures(store), requested)
    return replace(results, estimates=_estimates(store, content, run)) if run else results


def _estimates(store: Store, content: Manifest, run: RunDirectory) -> pd.DataFrame:
    """Read the assembled estimates of policies or, if damaged or missing, those of each trial."""
    data = store.read(ESTIMATES) if run.experiment.selection is not None else None
    if data is not None and manifest.is_intact(content, ESTIMATES, data):
        return records.read_estimates(data)
    trials = run.requested_trials()
    return estimates_table(trials, estimates.read_all(run, trials))


def _evaluations(store: Store, content: Manifest, run: RunDirectory | None) -> pd.DataFrame:
    """Read the assembled evaluations or, if damaged or missing, those of each trial."""
    damage = None
    evaluations = store.read(EVALUATIONS)
    if evaluations is not None:
        try:
            manifest.require_intact(content, store, EVALUATIONS, evaluations)
            return records.read_parquet(evaluations, f"{store.target}/{EVALUATIONS}")
        except HarnessError as error:
            damage = error
    trials = run.requested_trials() if run else []
    finished = run.finished(trials) if run else {}
    if damage and not finished:
        raise HarnessError(f"{damage}; it can only be rebuilt from trials, and the directory has none")
    if not finished:
        why = f"no {EVALUATIONS} in it; harness run writes it"
        if trials:
            command = f"harness status {shlex.quote(store.target)}"
            why = f"none of {len(trials)} trials is finished; {command} shows how far they are"
        raise HarnessError(f"{store.target}: no results yet ({why})")
    if damage:
        warn(
            f"{damage}. The records of {len(finished)} finished trials were read instead; "
            f"harness resume {shlex.quote(store.target)} rewrites the file"
        )
    frame: pd.DataFrame = evaluations_table(trials, finished).to_pandas()
    return frame


def _failures(store: Store) -> dict[str, str]:
    errors = [name for name in store.names(TRIALS) if name.endswith(f"/{ERROR}")]
    contents = map_concurrently(store, store.read, errors)
    reasons = {name.split("/")[1]: _failure(data) for name, data in zip(errors, contents, strict=True)}
    return {key: reason for key, reason in reasons.items() if reason}


def _failure(data: bytes | None) -> str:
    try:
        return str(checksummed_json.loads(data).get("reason", "")) if data is not None else ""
    except DamagedError:
        return "its error file is damaged"
