"""The columns of evaluations.parquet, declared once: one row for each evaluation of a trial."""

from __future__ import annotations

from typing import Literal

Kind = Literal["text", "whole number", "number", "numbers"]

TRIAL: dict[str, Kind] = {"algorithm": "text", "dataset": "text", "seed": "whole number"}
"""The columns that identify a trial."""

EVALUATION: dict[str, Kind] = {
    "step": "whole number",
    "return_mean": "number",
    "return_std": "number",
    "normalized_score": "number",
    "episode_returns": "numbers",
    "train_seconds": "number",
    "evaluation_seconds": "number",
    "non_finite": "text",
}
"""The columns of every evaluation, for any algorithm. All further columns are metrics of a learner.
`non_finite` names the metrics that are NaN or infinite, joined by commas; null where all are finite."""

COLUMNS: dict[str, Kind] = {**TRIAL, **EVALUATION}
