"""Results as tables and figures see them: of a run, finished or not, or of a file that anything wrote."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from harness.errors import HarnessError
from harness.reporting import records
from harness.reporting.results import Results
from harness.storage import checksummed_json, manifest, run_directory
from harness.storage.assembly import EVALUATIONS, evaluations_table
from harness.storage.checksummed_json import DamagedError
from harness.storage.stores import Store, map_concurrently, open_store
from harness.storage.trial_record import ERROR, TRIALS


def load(source: Path | str) -> Results:
    """Read a results directory (or its URL), or a .csv or .parquet file with one row per evaluation.

    Raises:
        HarnessError: for what is missing, damaged, contradictory or of two protocols.
    """
    source = str(source)
    if "://" in source or Path(source).is_dir():
        return _load_directory(open_store(source))
    if not Path(source).exists():
        raise HarnessError(f"{source}: no such results directory, CSV or parquet file")
    return records.from_frame(records.read_file(Path(source)), source)


def _load_directory(store: Store) -> Results:
    """What is finished of a run, also while it goes on."""
    run = run_directory.RunDirectory.load(store) if run_directory.has_begun(store) else None
    evaluations = store.read(EVALUATIONS)
    if evaluations is not None:
        frame = _assembled(store, evaluations)
    elif run is not None:
        frame = _finished_trials(run)
    else:
        raise HarnessError(
            f"{store.target}: no results yet (no {EVALUATIONS} in it; `harness run` writes it)"
        )
    experiment = run.experiment if run else None
    content = run.manifest if run else manifest.read(store)
    requested = run.requested_trials() if run else []
    return records.from_frame(frame, store.target, experiment, content, _failures(store), requested)


def _assembled(store: Store, evaluations: bytes) -> pd.DataFrame:
    try:
        return records.read_parquet(io.BytesIO(evaluations), f"{store.target}/{EVALUATIONS}")
    except HarnessError as error:
        if not store.names(TRIALS):
            raise
        raise HarnessError(f"{error}; harness resume {store.target} writes it anew") from None


def _finished_trials(run: run_directory.RunDirectory) -> pd.DataFrame:
    """From the trials' own records, while no run has assembled them yet."""
    trials = run.requested_trials()
    finished = run.finished(trials)
    if not finished:
        raise HarnessError(
            f"{run.store.target}: no results yet (none of {len(trials)} trials is finished); "
            f"`harness status {run.store.target}` shows how far they are"
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
