"""Rows of evaluation records without a score: blank rows are dropped, and missing scores are named."""

from __future__ import annotations

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
    return raw[~blank | missing], (*_left_out(raw, blank & ~missing, what), *_missing(missing, what))


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
    found: NDArray[np.bool_] = pd.MultiIndex.from_frame(rows[keys]).isin(
        pd.MultiIndex.from_frame(others[keys])
    )
    return found


def _left_out(raw: pd.DataFrame, dropped: pd.Series[bool], what: str) -> tuple[str, ...]:
    if not dropped.any():
        return ()
    kept = raw[~dropped]
    lost = raw[dropped].dropna(subset=TRIAL).drop_duplicates(TRIAL)
    lost = lost[~_is_among(lost, kept, TRIAL)]
    names = [
        f"{algorithm} on {dataset}, seed {str(seed).removesuffix('.0')}"
        for algorithm, dataset, seed in lost[TRIAL].itertuples(index=False)
    ]
    nothing = f"; nothing is left of {listed(names, 5, '; ')}" if names else ""
    return (f"Left out: {dropped.sum():,} of {len(raw):,} rows, which have no {what}{nothing}.",)


def _missing(missing: pd.Series[bool], what: str) -> tuple[str, ...]:
    if not missing.any():
        return ()
    rows = np.flatnonzero(missing) + 1
    return (f"No {what} in row {listed(rows, 5)}, where an evaluation took place: it counts as NaN.",)
