"""Reading evaluation records: a results directory, or a CSV or parquet file that anything wrote."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness import experiment_file
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.reporting.columns import in_order, one_protocol, with_columns, without_repetitions
from harness.reporting.results import Results
from harness.storage.sealed import DamagedError, unseal
from harness.storage.stores import Store, open_store

EVALUATIONS_FILE = "evaluations.parquet"
EXPERIMENT_FILE = "experiment.yaml"
MANIFEST_FILE = "manifest.json"


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
    return from_frame(_read_file(Path(source)), source)


def from_frame(
    raw: pd.DataFrame,
    source: str,
    experiment: Experiment | None = None,
    manifest: dict[str, Any] | None = None,
    failures: dict[str, str] | None = None,
) -> Results:
    """Check and order evaluation records.

    Raises:
        HarnessError: naming `source` and what is wrong in it.
    """
    frame = with_columns(raw, source)
    if frame.empty:
        raise HarnessError(f"{source}: no results yet (not one evaluation is recorded)")
    frame = in_order(frame, experiment)
    frame, notes = without_repetitions(frame, source)
    one_protocol(frame, source)
    return Results(source, frame, experiment, manifest or {}, failures or {}, notes)


def _load_directory(store: Store) -> Results:
    """What is finished of a run, also while it goes on."""
    text = store.read(EXPERIMENT_FILE)
    experiment = _experiment(text, f"{store.target}/{EXPERIMENT_FILE}") if text is not None else None
    manifest = _manifest(store.read(MANIFEST_FILE) or b"{}", f"{store.target}/{MANIFEST_FILE}")
    evaluations = store.read(EVALUATIONS_FILE)
    if evaluations is not None:
        frame = _read_parquet(io.BytesIO(evaluations), f"{store.target}/{EVALUATIONS_FILE}")
    elif experiment is not None:
        frame = _finished_trials(store)
    else:
        raise HarnessError(
            f"{store.target}: no results yet (no {EVALUATIONS_FILE} in it; `harness run` writes it)"
        )
    return from_frame(frame, store.target, experiment, manifest, _failures(store))


def _experiment(text: bytes, source: str) -> Experiment:
    try:
        return experiment_file.parse(text.decode(), source)
    except UnicodeDecodeError:
        raise HarnessError(f"{source}: damaged, it is no text") from None


def _manifest(text: bytes, source: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise HarnessError(f"{source}: damaged, not valid JSON ({error})") from None
    return manifest if isinstance(manifest, dict) else {}


def _finished_trials(store: Store) -> pd.DataFrame:
    """From the trials' own records, while no run has assembled them yet."""
    from harness.storage.assembly import evaluations_table
    from harness.storage.results import Results as StoredResults

    stored = StoredResults.load(store)
    trials = stored.trials()
    finished = stored.finished(trials)
    if not finished:
        raise HarnessError(
            f"{store.target}: no results yet (none of {len(trials)} trials is finished); "
            f"`harness status {store.target}` shows how far they are"
        )
    frame: pd.DataFrame = evaluations_table(trials, finished).to_pandas()
    return frame


def _failures(store: Store) -> dict[str, str]:
    errors = [name for name in store.names("trials") if name.endswith("/error.json")]
    reasons = {name.split("/")[1]: _failure(store.read(name)) for name in errors}
    return {key: reason for key, reason in reasons.items() if reason}


def _failure(data: bytes | None) -> str:
    try:
        return str(unseal(data).get("reason", "")) if data is not None else ""
    except DamagedError:
        return "its error file is damaged"


def _read_file(path: Path) -> pd.DataFrame:
    match path.suffix.lower():
        case ".parquet":
            return _read_parquet(path, str(path))
        case ".csv":
            return _read_csv(path)
        case _:
            raise HarnessError(f"{path}: results are a directory, a .csv or a .parquet file")


def _read_parquet(file: Path | io.BytesIO, source: str) -> pd.DataFrame:
    try:
        table = pq.read_table(file, read_dictionary=["algorithm", "dataset"])
    except (pa.ArrowException, OSError) as error:
        raise HarnessError(f"{source}: damaged, or no parquet file ({_first_line(error)})") from None
    frame: pd.DataFrame = table.to_pandas(types_mapper=_lists_stay_in_arrow, self_destruct=True)
    return frame


def _lists_stay_in_arrow(kind: pa.DataType) -> pd.ArrowDtype | None:
    """Millions of numpy arrays, one for each list, would take gigabytes."""
    return pd.ArrowDtype(kind) if pa.types.is_list(kind) else None


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path)
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        raise HarnessError(f"{path}: not readable as CSV ({_first_line(error)})") from None
    if "episode_returns" in frame:
        frame["episode_returns"] = _parsed_lists(frame["episode_returns"], str(path))
    return frame


def _parsed_lists(texts: pd.Series[Any], source: str) -> pd.Series[Any]:
    try:
        return pd.Series([json.loads(text) for text in texts], dtype=pd.ArrowDtype(pa.list_(pa.float64())))
    except (TypeError, ValueError, pa.ArrowException):
        raise HarnessError(f"{source}: column episode_returns must hold lists such as [1.5, 2.0]") from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
