"""Rows of evaluation records without a score: blank rows are dropped, and missing scores are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting.captions import listed
from harness.scores import TRIAL

SCORES = {"return": "return", "return_mean": "return", "normalized_score": "normalized score"}
"""The columns of scores, and their names in messages."""
OF_EVALUATIONS = ("return_std", "episode_returns", "evaluation_seconds")
"""The columns that are only filled at an evaluation."""


def without_blank_rows(raw: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Drop rows without a score, as trackers export them for steps at which only a loss was logged.

    A row is kept, with a missing score, if an evaluation took place: if the row has other results of an
    evaluation, or another trial has a score on this dataset at this step.

    Returns:
        The rows that are evaluations, with their index, and notes for tables of them.

    Raises:
        HarnessError: where no row has a score.
    """
    columns = [name for name in SCORES if name in raw]
    blank = raw[columns].isna().all(axis=1)
    if not blank.any():
        return raw, ()
    if blank.all():
        raise HarnessError(f"{source}: no scores: every row is empty in {' and '.join(columns)}")
    missing = pd.Series(False, index=raw.index)
    missing[blank] = _took_place(raw[blank], raw[~blank])
    what = " or ".join(SCORES[name] for name in columns)
    return raw[~blank | missing], tuple(_notes(raw, blank & ~missing, missing, what))


def _took_place(rows: pd.DataFrame, scored: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which of the rows without a score are evaluations nevertheless."""
    place = [*TRIAL, "step"]
    evaluated = _is_among(rows, scored, ["dataset", "step"])
    for name in OF_EVALUATIONS:
        if name in rows:
            evaluated |= rows[name].map(_is_filled).to_numpy(dtype=bool)
    known = rows[place].notna().all(axis=1).to_numpy()
    return evaluated & known & ~_is_among(rows, scored, place)


def _is_filled(value: Any) -> bool:
    """Return whether a cell holds a number or a non-empty list of numbers."""
    return bool(len(value)) if isinstance(value, list | np.ndarray) else bool(pd.notna(value))


def _is_among(rows: pd.DataFrame, others: pd.DataFrame, keys: list[str]) -> NDArray[np.bool_]:
    """Return which rows equal one of the others in these columns."""
    own, known = pd.MultiIndex.from_frame(rows[keys]), pd.MultiIndex.from_frame(others[keys])
    return np.asarray(own.isin(known))


def _notes(raw: pd.DataFrame, dropped: pd.Series[bool], missing: pd.Series[bool], what: str) -> Iterator[str]:
    """Count the rows that are dropped, with the trials that are lost, and name those whose score is NaN."""
    if dropped.any():
        lost = raw[dropped].dropna(subset=TRIAL).drop_duplicates(TRIAL)
        lost = lost[~_is_among(lost, raw[~dropped], TRIAL)]
        names = [
            f"{algorithm} on {dataset}, seed {str(seed).removesuffix('.0')}"
            for algorithm, dataset, seed in lost[TRIAL].itertuples(index=False)
        ]
        nothing = f"; nothing is left of {listed(names, 5, '; ')}" if names else ""
        yield f"Left out: {dropped.sum():,} of {len(raw):,} rows, which have no {what}{nothing}."
    if missing.any():
        rows = listed(np.flatnonzero(missing) + 1, 5)
        yield f"No {what} in row {rows}, where an evaluation took place: it counts as NaN."
