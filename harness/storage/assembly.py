"""Assembles the records of trials into a table of evaluations and a table of scores."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.columns import COLUMNS, TRIAL, Kind
from harness.scores import scores
from harness.storage import estimates, rungs
from harness.storage.estimates import Estimate
from harness.storage.run_directory import RunDirectory
from harness.storage.trial_result import TrialResult
from harness.trial import Trial

EVALUATIONS = "evaluations.parquet"
SCORES = "scores.csv"
ESTIMATES = "offline_estimates.csv"

ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole number": pa.int64(),
    "number": pa.float64(),
    "numbers": pa.list_(pa.float64()),
}


def assemble(run: RunDirectory) -> dict[str, TrialResult]:
    """Write the tables of the finished trials, if there are any, and their digests to the manifest.

    The evaluations of trials that were stopped early are in evaluations.parquet, but not their scores.
    Returns the results of the finished trials by key.
    """
    trials = run.requested_trials()
    finished = run.finished(trials)
    if not finished:
        return finished
    halving = rungs.read(run)
    table = evaluations_table(trials, {**finished, **halving.stopped})
    of_finished = evaluations_table(trials, finished) if halving.stopped else table
    csv = scores(of_finished.to_pandas()).to_csv(index=False, lineterminator="\n")
    files = {EVALUATIONS: parquet_bytes(table), SCORES: csv.encode()}
    if run.experiment.selection is not None:
        trained = [trial for trial in trials if trial.key in finished]
        found = estimates_table(trained, estimates.read_all(run, trained))
        files[ESTIMATES] = found.to_csv(index=False, lineterminator="\n").encode()
    for name, data in files.items():
        run.store.write(name, data)
    run.save(
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        stopped=halving.stopped_at(trial for trial in trials if trial.key not in finished),
    )
    return finished


def estimates_table(trials: Sequence[Trial], found: Mapping[str, Estimate]) -> pd.DataFrame:
    """Return one row per trial whose key has an estimate: the trial, `fqe` and `td_error`."""
    rows = [
        (trial.algorithm, trial.dataset.name, trial.seed, estimate["value"], estimate["td_error"])
        for trial in trials
        if (estimate := found.get(trial.key)) is not None
    ]
    return pd.DataFrame(rows, columns=[*TRIAL, "fqe", "td_error"])


def parquet_bytes(table: pa.Table) -> bytes:
    """Return the content of a Parquet file whose pages have checksums.

    Floats are split into streams of their bytes, which makes the file a third smaller.
    """
    repeated = [field.name for field in table.schema if field.type in (pa.string(), pa.int64())]
    floats = [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in table.schema
        if field.name not in repeated
    ]
    buffer = io.BytesIO()
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        use_dictionary=repeated,
        use_byte_stream_split=floats,
        write_page_checksum=True,
    )
    return buffer.getvalue()


def evaluations_table(trials: Sequence[Trial], finished: Mapping[str, TrialResult]) -> pa.Table:
    """Return a table with one row per evaluation; metrics that an algorithm does not have are null."""
    present = [trial for trial in trials if trial.key in finished]
    return table_of_rows([row for trial in present for row in _rows(trial, finished[trial.key])])


def table_of_rows(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Return evaluation rows as a table; missing values are null."""
    metrics = sorted({key for row in rows for key in row} - set(COLUMNS))
    kinds: dict[str, Kind] = {**COLUMNS, **dict.fromkeys(metrics, "number")}
    schema = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in kinds.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def _rows(trial: Trial, result: TrialResult) -> Iterator[dict[str, Any]]:
    identity = {"algorithm": trial.algorithm, "dataset": trial.dataset.name, "seed": trial.seed}
    for row in sorted(result["rows"], key=lambda row: int(row["step"])):
        yield row | identity
