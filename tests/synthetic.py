"""Made-up evaluation records for tests and benchmarks of reporting: plausible curves, drawn from a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from harness import experiment_file
from harness.experiment import Experiment
from harness.reporting.names import dataset_name

ALGORITHM_LEVELS = {"td3_bc": 0.95, "bc": 0.75, "td3": 0.35}
QUALITY_LEVELS = {"random": 10, "medium": 50, "medium-replay": 45, "medium-expert": 95, "expert": 100}
WORST_RETURN, RETURN_PER_SCORE = -1200.0, 10.5


def experiment(
    algorithms: Any = ("td3_bc", "td3", "bc"),
    datasets: Sequence[Any] = ("pendulum-medium-v0", "pendulum-expert-v0"),
    seeds: int = 3,
    steps: int = 10_000,
    interval: int = 500,
    **more: Any,
) -> Experiment:
    """Make an experiment with the given variants, datasets and seeds."""
    return Experiment.model_validate(
        {
            "name": "synthetic",
            "algorithms": list(algorithms) if isinstance(algorithms, tuple) else algorithms,
            "datasets": list(datasets),
            "seeds": seeds,
            "training": {"gradient_steps": steps},
            "evaluation": {"interval": interval},
            **more,
        }
    )


def evaluations(of: Experiment, random_seed: int = 0) -> pa.Table:
    """Return one row per evaluation of every trial of the experiment."""
    generator = np.random.default_rng(random_seed)
    steps = np.arange(of.evaluation.interval, of.training.gradient_steps + 1, of.evaluation.interval)
    columns, datasets = list(of.variants()), [dataset.name for dataset in of.datasets]
    shape = (len(columns), len(datasets), len(of.seeds), len(steps))
    algorithm, dataset, seed, step = (index.ravel() for index in np.indices(shape))

    base = [name.partition("@")[0] for name in columns]
    level = (
        np.array([ALGORITHM_LEVELS.get(name, 0.6) for name in base])[:, None, None, None]
        * np.array([QUALITY_LEVELS.get(dataset_name(name).quality, 60) for name in datasets])[
            None, :, None, None
        ]
    )
    of_trial = level + generator.normal(0, 2, size=(*shape[:3], 1))
    progress = np.broadcast_to(1 - np.exp(-4 * steps / steps[-1]), shape).ravel()
    score = (of_trial * np.ones(len(steps))).ravel() * progress
    episodes = score[:, None] + generator.normal(0, 6, size=(len(score), of.evaluation.episodes))
    returns = WORST_RETURN + RETURN_PER_SCORE * episodes

    has_critic = np.array([name != "bc" for name in base])[algorithm]
    has_lambda = np.array([name == "td3_bc" for name in base])[algorithm]
    q = -np.maximum(score, 1) * np.array([3 if name == "td3" else 1 for name in base])[algorithm]
    return pa.table(
        {
            "algorithm": pa.DictionaryArray.from_arrays(algorithm.astype(np.int32), columns),
            "dataset": pa.DictionaryArray.from_arrays(dataset.astype(np.int32), datasets),
            "seed": np.array(of.seeds)[seed],
            "step": steps[step],
            "return_mean": returns.mean(axis=1),
            "return_std": returns.std(axis=1),
            "normalized_score": episodes.mean(axis=1),
            "episode_returns": _lists(returns),
            "train_seconds": 4 + generator.random(len(score)) - 2.0 * ~has_critic,
            "evaluation_seconds": 0.4 + 0.1 * generator.random(len(score)),
            "q1": np.where(has_critic, q, np.nan),
            "q2": np.where(has_critic, q * 1.02, np.nan),
            "lambda": np.where(has_lambda, 2.5 / np.abs(q), np.nan),
            "critic_loss": np.where(has_critic, 3 / (1 + progress), np.nan),
            "actor_loss": 0.2 / (1 + progress),
        }
    )


def frame(of: Experiment, random_seed: int = 0) -> pd.DataFrame:
    """Return the evaluations as a pandas frame, with plain names and Python lists."""
    table: pd.DataFrame = evaluations(of, random_seed).to_pandas()
    return table.astype({"algorithm": str, "dataset": str})


def write(directory: Path, of: Experiment, rows: pd.DataFrame | None = None) -> Path:
    """Write a results directory as a run would, and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "experiment.yaml").write_text(experiment_file.dump(of), encoding="utf-8")
    (directory / "manifest.json").write_text(json.dumps({"versions": {"harness": "0.1.0"}}), encoding="utf-8")
    if rows is None:
        pq.write_table(evaluations(of), directory / "evaluations.parquet")
    else:
        rows.to_parquet(directory / "evaluations.parquet", index=False)
    return directory


def _lists(values: NDArray[np.float64]) -> pa.ListArray:
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(offsets, values.ravel())
