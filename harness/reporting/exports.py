"""Converts exports of experiment trackers to one row per evaluation."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.errors import HarnessError

STEPS = ("step", "_step", "global_step")
_SERIES = re.compile(r"(?P<run>.+) - (?P<metric>\S+?)(?P<bound>__MIN|__MAX)?")


class Series(NamedTuple):
    """A column of a chart that Weights & Biases exports, `RUN - METRIC`."""

    run: str
    metric: str
    column: str


def as_rows(raw: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Turn the export of a tracker into one row per evaluation; leave any other frame as it is.

    Returns:
        The rows, and notes for tables of them.

    Raises:
        HarnessError: for a chart whose columns do not identify trials and steps.
    """
    names = [str(name) for name in raw.columns]
    if len(names) > 1 and all(map(_SERIES.fullmatch, names[1:])):
        return _from_chart(raw, source), ()
    if "step" not in names and "_step" in names:
        note = "Column _step of Weights & Biases is read as gradient steps."
        return raw.rename(columns={"_step": "step"}), (note,)
    return raw, ()


def _from_chart(raw: pd.DataFrame, source: str) -> pd.DataFrame:
    """Read a chart of Weights & Biases as CSV: a column for each run, a row for each step of any of them."""
    axis, *names = (str(name) for name in raw.columns)
    if axis.lower() not in STEPS:
        raise HarnessError(f"{source}: the chart's x axis is {axis!r}; export it with Step as x axis")
    runs: dict[str, list[Series]] = {}
    for name in names:
        match = _SERIES.fullmatch(name)
        if match is None or match["bound"] or match["metric"].startswith("_"):
            continue
        series = Series(match["run"], match["metric"].rpartition("/")[2], name)
        _require_single_points(raw, series, source)
        runs.setdefault(series.run, []).append(series)
    return pd.concat(
        [_run(raw, axis, run, series, source) for run, series in runs.items()], ignore_index=True
    )


def _run(raw: pd.DataFrame, axis: str, run: str, series: list[Series], source: str) -> pd.DataFrame:
    algorithm, _, rest = run.partition("--")
    dataset, _, seed = rest.rpartition("--")
    if not (algorithm and dataset and seed.isdecimal()):
        raise HarnessError(
            f"{source}: cannot tell the trial of run {run!r}: in the export of a chart, runs must be "
            "named ALGORITHM--DATASET--SEED, as `harness run --wandb` names them"
        )
    rows = pd.DataFrame({each.metric: raw[each.column] for each in series})
    rows = rows.assign(algorithm=algorithm, dataset=dataset, seed=int(seed), step=raw[axis])
    return rows.dropna(how="all", subset=[each.metric for each in series])


def _require_single_points(raw: pd.DataFrame, series: Series, source: str) -> None:
    """Reject means of several evaluations, which a chart with many points shows instead of the points."""
    for bound in ("__MIN", "__MAX"):
        if f"{series.column}{bound}" in raw:
            other = raw[f"{series.column}{bound}"]
            if not np.allclose(raw[series.column], other, equal_nan=True):
                raise HarnessError(
                    f"{source}: column {series.column!r} has means of several evaluations (it differs from "
                    f"its {bound}); export the run's whole history instead"
                )
