import pytest


@pytest.fixture(autouse=True)
def own_directories(tmp_path, monkeypatch):
    """No test reads or writes the user's datasets or cache."""
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("D4RL_DATASET_DIR", str(tmp_path / "d4rl"))
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    monkeypatch.delenv("HARNESS_D4RL_MIRRORS", raising=False)


@pytest.fixture
def generated(tmp_path):
    """Writes a file in D4RL's layout: `generated(name, rows=..., ...)`, see `generate.random_steps`."""
    import numpy as np

    from tests.datasets.generate import random_steps, write_raw

    def write(name="generated.hdf5", change=None, **options):
        values = random_steps(np.random.default_rng(0), **options)
        if change is not None:
            change(values)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_raw(path, values, compression="gzip")
        return path

    return write
