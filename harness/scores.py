"""Scores of trials, and their mean and deviation over seeds: the only place that defines conventions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness import columns

FINAL_EVALUATIONS = 10
"""The final score is the mean over this many last evaluations (TD3+BC paper, arXiv 2106.06860, table 2)."""

DDOF = 0
"""Of every standard deviation shown: `np.std`'s default. The paper does not state which it printed."""

TRIAL = list(columns.TRIAL)


def scores(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Return one row per trial with its scores, from one row per evaluation.

    Args:
        evaluations: columns algorithm, dataset, seed, step and return_mean or normalized_score or both.

    Returns:
        algorithm, dataset, seed, step (of the last evaluation), evaluations (their number), final, last and
        best (of normalized_score), final_return, last_return and best_return; diverged, the step of the first
        evaluation with metrics that are not finite, if any. A score is NaN if one of its evaluations is.
    """
    ordered = evaluations.sort_values([*TRIAL, "step"], kind="stable", ignore_index=True)
    starts = np.flatnonzero(~ordered.duplicated(TRIAL))
    ends = np.append(starts[1:], len(ordered))[: len(starts)]
    result = ordered.loc[starts, TRIAL].reset_index(drop=True)
    result["step"] = ordered["step"].to_numpy()[ends - 1]
    result["evaluations"] = ends - starts
    for column, suffix in (("normalized_score", ""), ("return_mean", "_return")):
        given = ordered.get(column, pd.Series(np.nan, ordered.index))
        values = given.to_numpy(dtype=np.float64, na_value=np.nan)
        curves = [values[start:end] for start, end in zip(starts, ends, strict=True)]
        result[f"final{suffix}"] = [np.mean(curve[-FINAL_EVALUATIONS:]) for curve in curves]
        result[f"last{suffix}"] = [curve[-1] for curve in curves]
        result[f"best{suffix}"] = [np.max(curve) for curve in curves]
    marked = ordered[ordered["non_finite"].notna()] if "non_finite" in ordered else ordered[:0]
    diverged = marked.drop_duplicates(TRIAL)[[*TRIAL, "step"]].rename(columns={"step": "diverged"})
    return result.merge(diverged, on=TRIAL, how="left").astype({"diverged": "Int64"})


def mean_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return both over seeds; a single seed has no deviation (NaN)."""
    if len(values) == 0:
        return np.nan, np.nan
    return float(np.mean(values)), float(np.std(values, ddof=DDOF)) if len(values) > 1 else np.nan


def standard_error(values: NDArray[np.float64]) -> float:
    """Return the standard error of the mean over seeds, by the ddof-1 deviation; NaN for a single seed."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
