"""Checks of evaluation records: columns, order, duplicates, one protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.columns import COLUMNS
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.reporting.names import in_table_order
from harness.scores import TRIAL

NUMBERS = tuple(name for name, kind in COLUMNS.items() if kind == "number")
BOOKKEEPING = ("_", "Unnamed: ")
"""Prefixes of columns that trackers (`_runtime`) and pandas (its index) add."""
LARGEST_WHOLE = 2**53
"""The limit up to which floats represent every whole number exactly."""
NEEDED = "algorithm, dataset, seed, step and return (or return_mean) or normalized_score"


def with_columns(raw: pd.DataFrame, source: str) -> pd.DataFrame:
    """Convert the columns of evaluation records to their types; errors name the column and the row."""
    require_columns(raw, source)
    mean = "return" if "return" in raw else "return_mean"
    frame = pd.DataFrame({name: _names(raw[name], name, source) for name in ("algorithm", "dataset")})
    for name in ("seed", "step"):
        frame[name] = _whole_numbers(raw[name], name, source)
    for name in NUMBERS:
        theirs = mean if name == "return_mean" else name
        frame[name] = _numbers(raw[theirs], theirs, source) if theirs in raw else np.nan
    if "non_finite" in raw:
        frame["non_finite"] = raw["non_finite"].astype("string")
    if "episode_returns" in raw:
        frame["episode_returns"] = _lists(raw["episode_returns"], source)
    for name in map(str, raw.select_dtypes("number")):  # metrics of learners may have any other name
        if name not in (*COLUMNS, "return") and not name.startswith(BOOKKEEPING):
            frame[name] = _numbers(raw[name], name, source)
    return frame


def require_columns(raw: pd.DataFrame, source: str) -> None:
    """Check that there is each column that a table needs, and one column of returns."""
    if {"return", "return_mean"} <= set(raw.columns):
        raise HarnessError(f"{source}: columns return and return_mean mean the same; keep one")
    found = f"required: {NEEDED}; found: {', '.join(map(str, raw.columns))}"
    if missing := [name for name in (*TRIAL, "step") if name not in raw]:
        columns = f"column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        raise HarnessError(f"{source}: {columns} missing{_why_missing(raw, missing)}; {found}")
    if not {"return", "return_mean", "normalized_score"}.intersection(raw.columns):
        raise HarnessError(f"{source}: no scores; {found}")


def _why_missing(raw: pd.DataFrame, missing: Iterable[str]) -> str:
    names = [str(name) for name in raw.columns]
    for mark, what in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            return f" (its columns are separated by {what}; write commas)"
    if {name.strip().lower() for name in names} >= set(missing):
        return " (write their names in lower case, without spaces)"
    if {"_runtime", "_timestamp", "run_id"} & set(names):
        return " (only a tracker's metrics; docs/other-tools.md shows how to add the trial's columns)"
    return ""


def _names(values: pd.Series[Any], column: str, source: str) -> pd.Series[Any]:
    """Strip surrounding spaces, which are invisible in tables."""
    names = values.astype("category").map(lambda name: str(name).strip() or None, na_action="ignore")
    if names.isna().any():
        raise HarnessError(f"{source}: column {column} is empty in row {_first_row(names.isna())}")
    return names.astype("category")


def _whole_numbers(values: pd.Series[Any], column: str, source: str) -> pd.Series[Any]:
    numbers = _numbers(values, column, source)
    wrong = numbers.isna() | (numbers % 1 != 0) | (numbers.abs() > LARGEST_WHOLE)
    _reject(wrong, values, column, source, "not a whole number up to 2^53")
    return numbers.astype(np.int64)


def _numbers(values: pd.Series[Any], column: str, source: str) -> pd.Series[Any]:
    """Convert to numbers; infinities become NaN, because deviations cannot contain them."""
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        wrong = numbers.isna() & values.notna() & (values.astype(str).str.strip().str.lower() != "nan")
        _reject(wrong, values, column, source, "which is not a number")
    return numbers.replace([np.inf, -np.inf], np.nan)


def _reject(wrong: pd.Series[Any], values: pd.Series[Any], column: str, source: str, why: str) -> None:
    """Raise an error that shows the first invalid value and its row, if there is one."""
    if wrong.any():
        row = _first_row(wrong)
        value = values.loc[row - 1]
        shown = repr(value) if isinstance(value, str) else str(value).removesuffix(".0")
        raise HarnessError(f"{source}: column {column} holds {shown} in row {row}, {why}")


def _lists(values: pd.Series[Any], source: str) -> pd.Series[Any]:
    kind = pd.ArrowDtype(pa.list_(pa.float64()))
    if values.dtype == kind:
        return values
    try:
        return pd.Series(pa.array(values, type=pa.list_(pa.float64())), dtype=kind, index=values.index)
    except (pa.ArrowException, TypeError):
        raise HarnessError(f"{source}: column episode_returns must be lists of numbers") from None


def _first_row(wrong: pd.Series[Any]) -> int:
    """Return the number of the first True row, counted from 1 without the header."""
    return int(wrong.index[np.flatnonzero(wrong.to_numpy())[0]]) + 1


def in_order(frame: pd.DataFrame, experiment: Experiment | None) -> pd.DataFrame:
    """Sort rows by variant and dataset, as the experiment or the file lists them, datasets by quality."""
    algorithms = [str(name) for name in frame["algorithm"].unique()]
    datasets = in_table_order(str(name) for name in frame["dataset"].unique())
    if experiment:
        algorithms = list(dict.fromkeys([*experiment.variants(), *algorithms]))
        datasets = list(dict.fromkeys([*(dataset.name for dataset in experiment.datasets), *datasets]))
    frame["algorithm"] = frame["algorithm"].cat.set_categories(algorithms)
    frame["dataset"] = frame["dataset"].cat.set_categories(datasets)
    keys = [frame["step"], frame["seed"], frame["dataset"].cat.codes, frame["algorithm"].cat.codes]
    order = np.lexsort(keys)
    if (np.diff(order) != 1).any():  # a run writes them in order, so that millions of rows need not be copied
        frame = frame.take(order)
    frame.index = pd.RangeIndex(len(frame))
    return frame


def without_repetitions(frame: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Drop duplicate evaluations with equal scores; reject those with different scores."""
    if not frame.duplicated([*TRIAL, "step"]).any():
        return frame, ()
    once = frame.drop_duplicates([*TRIAL, "step", "return_mean", "normalized_score"], ignore_index=True)
    different = once.duplicated([*TRIAL, "step"])
    if different.any():
        row = once[different].iloc[0]
        raise HarnessError(
            f"{source}: {row.algorithm} on {row.dataset}, seed {row.seed} appears twice with different "
            f"scores (at step {row.step}); keep one of the two runs, or give one another seed or name"
        )
    return once, (f"Duplicate rows are counted once ({len(frame) - len(once)} left out).",)


def one_protocol(frame: pd.DataFrame, source: str) -> None:
    """Check that trials on a dataset are evaluated at the same steps and over as many episodes."""
    position = frame.groupby(TRIAL, observed=True, sort=False).cumcount()
    _reject_two(frame, frame["step"], position, source, "evaluated at steps {} and {}")
    if "episode_returns" in frame:
        episodes = frame["episode_returns"].list.len().fillna(0).astype(int)
        known = episodes[episodes > 0]
        anywhere = pd.Series(0, index=known.index)
        _reject_two(frame.loc[known.index], known, anywhere, source, "evaluated over {} and {} episodes")


def _reject_two(
    frame: pd.DataFrame, values: pd.Series[Any], position: pd.Series[Any], source: str, what: str
) -> None:
    """Raise an error that names two trials of a dataset with different values at a position, if any."""
    dataset = frame["dataset"].cat.codes
    most = values.groupby([dataset, position]).transform("max")
    different = (values != most).to_numpy()
    if not different.any():
        return
    at = int(np.flatnonzero(different)[0])
    there = (dataset == dataset.iloc[at]) & (position == position.iloc[at]) & (values == most.iloc[at])
    row, other = frame.iloc[at], frame[there].iloc[0]
    raise HarnessError(
        f"{source}: two protocols on {row.dataset}: {row.algorithm} seed {row.seed} and {other.algorithm} "
        f"seed {other.seed} were {what.format(int(values.iloc[at]), int(most.iloc[at]))}; keep each protocol "
        "in a separate directory or file"
    )
