"""Results of a search with estimates, made in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.experiment import Experiment
from harness.reporting import reading
from harness.reporting.results import Results
from tests import synthetic

ALPHAS = (0.5, 1.0, 2.5, 4.0, 8.0)
DATASETS = ("pendulum-medium-v0", "pendulum-expert-v0")


def experiment(**more: Any) -> Experiment:
    settings: dict[str, Any] = {
        "algorithms": {"td3_bc": {}, "bc": {}},
        "sweep": {"algorithms.td3_bc.alpha": list(ALPHAS)},
        "datasets": DATASETS,
        "seeds": 2,
        "steps": 4_000,
        "selection": {},
    }
    return synthetic.experiment(**settings | more)


DRAWN = {
    "algorithms": {"td3_bc": {}, "bc": {}},
    "sweep": {"algorithms.td3_bc.alpha": {"log_uniform": [0.1, 10]}},
    "samples": 4,
}


def rows(of: Experiment) -> pd.DataFrame:
    """Evaluations whose scores rise with alpha, by 10 from one value to the next."""
    frame = synthetic.frame(of)
    place = {name: index for index, name in enumerate(of.variants())}
    shift = 10.0 * frame["algorithm"].map(place)
    frame["normalized_score"] += shift
    frame["return_mean"] += synthetic.RETURN_PER_SCORE * shift
    frame["episode_returns"] = [
        (np.asarray(returns) + synthetic.RETURN_PER_SCORE * by).tolist()
        for returns, by in zip(frame["episode_returns"], shift, strict=True)
    ]
    return frame


def estimates(of: Experiment) -> pd.DataFrame:
    """fqe ranks the samples as they are on the first dataset and the other way round on the second."""
    found = []
    for trial in of.trials():
        place = list(of.variants()).index(trial.algorithm)
        sign = 1 if trial.dataset.name == of.datasets[0].name else -1
        found.append((trial.algorithm, trial.dataset.name, trial.seed, sign * float(place), 5.0 - place))
    return pd.DataFrame(found, columns=["algorithm", "dataset", "seed", "fqe", "td_error"])


def write(folder: Path, of: Experiment | None = None, with_estimates: bool = True) -> Path:
    of = of or experiment()
    synthetic.write(folder, of, rows(of))
    if with_estimates:
        estimates(of).to_csv(folder / "offline_estimates.csv", index=False)
    return folder


def results(folder: Path, of: Experiment | None = None, with_estimates: bool = True) -> Results:
    return reading.load(write(folder, of, with_estimates))
