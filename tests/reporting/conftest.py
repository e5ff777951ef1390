"""Synthetic results, made once."""

from __future__ import annotations

import pytest

from harness.reporting import reading, significance, statistics
from harness.reporting.selection import online
from tests import synthetic

PENDULUM = [f"pendulum-{quality}-v0" for quality in synthetic.QUALITY_LEVELS]
D4RL = [
    f"{task}-{quality}-v2"
    for quality in ("random", "medium")
    for task in ("halfcheetah", "hopper", "walker2d")
]


@pytest.fixture(scope="session", autouse=True)
def few_resamples():
    """Enough to test with; the real number takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "REPETITIONS", 200)
        patch.setattr(statistics, "CURVE_REPETITIONS", 50)
        patch.setattr(significance, "RESAMPLES", 2_000)
        patch.setattr(online, "REPETITIONS", 100)
        yield


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return synthetic.write(
        tmp_path_factory.mktemp("results") / "pendulum", synthetic.experiment(datasets=PENDULUM)
    )


@pytest.fixture(scope="session")
def results(directory):
    return reading.load(directory)


@pytest.fixture(scope="session")
def d4rl(tmp_path_factory):
    experiment = synthetic.experiment(datasets=D4RL, seeds=4, steps=100_000, interval=5_000)
    return reading.load(synthetic.write(tmp_path_factory.mktemp("results") / "d4rl", experiment))


@pytest.fixture(scope="session")
def local_files(tmp_path_factory):
    """Results on two files of the user's own, of which one is declared to be a D4RL dataset."""
    declared = {"name": "mine", "path": "door.hdf5", "published_as": "door-human-v1"}
    datasets = (declared, {"name": "other", "path": "other.hdf5"})
    experiment = synthetic.experiment(datasets=datasets, seeds=2, steps=2_000)
    return reading.load(synthetic.write(tmp_path_factory.mktemp("results") / "local", experiment))


@pytest.fixture(scope="session")
def sweep(tmp_path_factory):
    experiment = synthetic.experiment(
        algorithms={"td3_bc": {}, "bc": {}, "td3": {}},
        sweep={"algorithms.td3_bc.alpha": [1, 2.5, 4]},
        datasets=PENDULUM[:2],
    )
    return reading.load(synthetic.write(tmp_path_factory.mktemp("results") / "alpha", experiment))
