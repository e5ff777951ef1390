"""Reads evaluation records from CSV and Parquet files, or from a frame, of any tool."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import HarnessError, first_line
from harness.experiment import Experiment
from harness.reporting.catalogue import OFFLINE_RULES
from harness.reporting.reading.blanks import SCORES, without_blank_rows
from harness.reporting.reading.columns import (
    in_order,
    one_protocol,
    require_columns,
    with_columns,
    without_repetitions,
)
from harness.reporting.reading.exports import as_rows
from harness.reporting.results import Results
from harness.storage.manifest import Manifest
from harness.trial import Trial

ROWS_OF_ANY_SIZE = 1_000_000
MOST_ROWS_PER_BYTE = 16
"""Evaluations take several bytes a row, so larger files with more rows are not evaluations."""


def from_frame(
    raw: pd.DataFrame,
    source: str,
    experiment: Experiment | None = None,
    manifest: Manifest | None = None,
    failures: dict[str, str] | None = None,
    requested: Sequence[Trial] = (),
) -> Results:
    """Check and order evaluation records."""
    notes: tuple[str, ...] = ()
    if experiment is None:  # a frame of another tool, in which the index becomes the row number from 0
        raw = raw.copy(deep=False)
        raw.index = pd.RangeIndex(len(raw))
        raw, notes = as_rows(raw, source)
        require_columns(raw, source)
        raw, blanks = without_blank_rows(raw, source) if len(raw) else (raw, ())
        notes = (*notes, *blanks)
    frame = with_columns(raw, source)
    if frame.empty:
        raise HarnessError(f"{source}: no results yet (no evaluation is recorded)")
    frame = in_order(frame, experiment)
    frame, repetitions = without_repetitions(frame, source)
    one_protocol(frame, source)
    longest = frame.groupby("dataset", observed=False)["step"].max()  # in a file, such trials are finished
    final = experiment.training.gradient_steps if experiment else None
    steps = {str(dataset): final or int(step) for dataset, step in longest.items()}
    notes = (*notes, *repetitions)
    return Results(source, frame, steps, experiment, manifest or {}, failures or {}, requested, notes)


def read_file(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    Raises:
        HarnessError: for a file that is damaged or of another format.
    """
    match path.suffix.lower():
        case ".parquet":
            return read_parquet(path.read_bytes(), str(path))
        case ".csv":
            return _read_csv(path)
        case _:
            raise HarnessError(f"{path}: results are a directory, a .csv or a .parquet file")


def read_parquet(data: bytes, source: str) -> pd.DataFrame:
    """Read the bytes of a Parquet file, and verify the checksums that its pages have.

    Raises:
        HarnessError: for a file that is damaged, of another format, or too small for the rows it declares.
    """
    try:
        metadata = pq.read_metadata(pa.BufferReader(data))
        rows = sum(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))
        if rows > max(ROWS_OF_ANY_SIZE, MOST_ROWS_PER_BYTE * len(data)):
            raise HarnessError(f"{source}: declares {rows:,} rows, more than {len(data):,} bytes can contain")
        names = ["algorithm", "dataset"]
        table = pq.read_table(pa.BufferReader(data), read_dictionary=names, page_checksum_verification=True)
        frame: pd.DataFrame = table.to_pandas(types_mapper=_list_type, self_destruct=True)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:  # names may also be invalid text
        raise HarnessError(f"{source}: damaged, or not a parquet file ({first_line(error)})") from None
    return frame


def read_estimates(data: bytes) -> pd.DataFrame:
    """Read offline_estimates.csv, which `assembly.estimates_table` writes."""
    return pd.read_csv(
        io.BytesIO(data),
        dtype={"algorithm": str, "dataset": str},
        keep_default_na=False,
        na_values={rule: [""] for rule in OFFLINE_RULES},
        float_precision="round_trip",
    )


def _list_type(kind: pa.DataType) -> pd.ArrowDtype | None:
    """Keep lists in Arrow: a numpy array for each of millions of lists would take gigabytes."""
    return pd.ArrowDtype(kind) if pa.types.is_list(kind) else None


def _read_csv(path: Path) -> pd.DataFrame:
    converters: dict[str, Callable[[str], Any]] = dict.fromkeys(SCORES, _score)
    converters |= {"algorithm": str, "dataset": str}  # NA can be a name
    try:
        frame = pd.read_csv(path, converters=converters)
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        raise HarnessError(f"{path}: cannot be read as CSV ({first_line(error)})") from None
    if "episode_returns" in frame:
        frame["episode_returns"] = _parsed_lists(frame["episode_returns"], str(path))
    return frame


def _score(text: str) -> object:
    """Read a score; one that is written as NaN (of a diverged run) is infinite, unlike an empty cell."""
    text = text.strip()
    return np.inf if text.lower() in ("nan", "-nan") else text or None


def _parsed_lists(texts: pd.Series[Any], source: str) -> pd.Series[Any]:
    try:
        lists = [None if pd.isna(text) else json.loads(text) for text in texts]
        return pd.Series(lists, dtype=pd.ArrowDtype(pa.list_(pa.float64())))
    except (TypeError, ValueError, RecursionError, pa.ArrowException):
        raise HarnessError(f"{source}: column episode_returns must be lists such as [1.5, 2.0]") from None
