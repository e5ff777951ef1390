import pytest

from harness.errors import HarnessError
from tests.benchmarks import data
from tests.datasets.conftest import own_directories

__all__ = ["own_directories"]


@pytest.mark.slow
def test_measure_prints_figures_and_trials_share_one_copy(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "ROUNDS", 1)
    monkeypatch.setattr(data, "TRIALS", 2)
    data.measure(20_000)
    out = capsys.readouterr().out
    for line in ("  read  ", "  from the cache", "  1 trial", "  2 trials", "not measured: --d4rl-python"):
        assert line in out
    path = tmp_path / "hopper.hdf5"
    data.write_hopper(path, 150_000)
    one = data._held_by(path, 1)  # the first trial reads the file, the others map the cached transitions
    assert data._held_by(path, 2) < 1.5 * one


def test_measure_with_a_python_without_d4rl_raises(tmp_path):
    with pytest.raises(HarnessError, match="--d4rl-python /bin/false: d4rl cannot be run there"):
        data._d4rl_seconds(tmp_path / "x.hdf5", "/bin/false")
    with pytest.raises(HarnessError, match=r"--d4rl-python /nowhere: cannot be run \(No such file"):
        data._d4rl_seconds(tmp_path / "x.hdf5", "/nowhere")


def test_measure_of_too_few_transitions_raises():
    with pytest.raises(HarnessError, match="--transitions 5: must be at least 2000"):
        data.measure(5)
