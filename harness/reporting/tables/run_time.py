"""The run time of trials: seconds of gradient steps and of evaluations."""

from __future__ import annotations

import pandas as pd

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.results import Results
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.scores import DDOF, TRIAL


def run_time_table(results: Results) -> Table:
    """Return a row per algorithm, over its finished trials.

    Raises:
        HarnessError: when the records hold no times or no trial is finished.
    """
    seconds = trial_seconds(results)
    rows = []
    for algorithm in results.algorithms:
        trials = seconds[seconds["algorithm"] == algorithm]
        if len(trials):
            train, evaluation = trials["train_seconds"].to_numpy(), trials["evaluation_seconds"].to_numpy()
            speed = Cell.over_seeds(trials["step"].to_numpy() / train, decimals=0) if train.all() else Cell()
            count = Cell(len(trials), decimals=0)
            cells = (Cell.over_seeds(train), speed, Cell.over_seeds(evaluation), count)
            rows.append(Row(results.title(algorithm), cells, key=algorithm))
    notes = captions.notes(results)
    if seconds[["train_seconds", "evaluation_seconds"]].isna().to_numpy().any():
        notes = (*notes, "NaN: an evaluation of a trial in this cell has no time recorded.")
    return Table(
        name="run-time",
        caption=f"Wall-clock time of a trial (in a pack its share): mean ± standard deviation (ddof={DDOF}) "
        "over the finished trials (datasets x seeds), run concurrently in the available slots. "
        f"{captions.protocol(results)}",
        header="Algorithm",
        columns=(
            Column("train_seconds", "Training [s]"),
            Column("steps_per_second", "Gradient steps / s"),
            Column("evaluation_seconds", "Evaluation [s]"),
            Column("trials", "Trials"),
        ),
        rows=tuple(rows),
        notes=notes,
    )


def trial_seconds(results: Results) -> pd.DataFrame:
    """Return a row per finished trial: algorithm, dataset, seed, step, summed train_ and evaluation_seconds.

    A sum is NaN where a row of the trial has no time.
    """
    frame = results.frame
    if frame["train_seconds"].isna().all():
        raise HarnessError(f"{results.source}: no run times recorded (column train_seconds)")
    trials = frame.groupby(TRIAL, observed=True, sort=False)
    times = trials[["train_seconds", "evaluation_seconds"]]
    totals = times.sum().where(times.count().eq(trials.size(), axis=0))
    finished = results.finished[[*TRIAL, "step"]]
    if finished.empty:
        raise HarnessError(f"{results.source}: no trial is finished yet, so there is no run time to show")
    return finished.merge(totals.reset_index(), on=TRIAL)
