"""Converts exports of experiment trackers to one row per evaluation."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd

from harness.errors import HarnessError

STEPS = ("step", "_step", "global_step")
_SERIES = re.compile(r"(?P<run>.+) - (?P<metric>\S+?)(?P<bound>__MIN|__MAX)?")
"""The name of a column in a chart of Weights & Biases."""
_RUN = r"^(?P<algorithm>.+?)--(?P<dataset>.+)--(?P<seed>\d+)$"


def as_rows(raw: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Turn the export of a tracker into one row per evaluation, with notes; keep any other frame as it is.

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
    matches = {name: match for name in names if (match := _SERIES.fullmatch(name))}
    series = {
        name: (match["run"], match["metric"].rpartition("/")[2])
        for name, match in matches.items()
        if not match["bound"] and not match["metric"].startswith("_")
    }
    for name, bound in itertools.product(series, ("__MIN", "__MAX")):
        if (end := f"{name}{bound}") in raw and not np.allclose(raw[name], raw[end], equal_nan=True):
            raise HarnessError(  # a chart with many points shows means in place of the points
                f"{source}: column {name!r} has means of several evaluations (it differs from its {bound}); "
                "export the run's whole history instead"
            )
    chart = raw.set_index(axis)[list(series)]
    chart.columns = pd.MultiIndex.from_tuples(series.values())
    rows = chart.stack(0, future_stack=True).dropna(how="all").rename_axis(["step", "run"]).reset_index()
    trials = rows["run"].str.extract(_RUN)
    if (unknown := trials["seed"].isna()).any():
        raise HarnessError(
            f"{source}: cannot tell the trial of run {rows['run'][unknown].iloc[0]!r}: in the export of a "
            "chart, runs must be named ALGORITHM--DATASET--SEED, as `harness run --wandb` names them"
        )
    return rows.drop(columns="run").assign(**trials)
