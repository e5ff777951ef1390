import gymnasium
import pytest

from harness.datasets import registry
from harness.datasets.registry import reference_of_environment
from harness.errors import HarnessError


def test_the_papers_datasets_are_there():
    for task in ("halfcheetah", "hopper", "walker2d"):
        for kind in ("random", "medium", "medium-replay", "medium-expert", "expert"):
            for version in ("v0", "v2"):
                found = registry.find(f"{task}-{kind}-{version}")
                assert found.sha256
                assert found.size
                assert found.reference == registry.find(f"{task}-medium-v2").reference


def test_medium_replay_datasets_have_d4rls_mixed_files():
    assert registry.find("hopper-medium-replay-v0").file == "hopper_mixed.hdf5"
    assert registry.find("walker2d-medium-replay-v0").file == "walker_mixed.hdf5"


def test_files_of_registered_datasets_have_different_names():
    files = [dataset.file for dataset in registry.registered().values()]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    "name", ["pendulum-expert-v0", "hopper-medium-v2", "halfcheetah-medium-v2", "walker2d-medium-v2"]
)
def test_environments_are_what_the_registry_says(name):
    task = registry.find(name).task
    environment = gymnasium.make(task.environment, disable_env_checker=True)
    assert environment.observation_space.shape == (task.observation_size,)
    assert environment.action_space.shape == (task.action_size,)
    assert environment.action_space.high.tolist() == [task.action_limit] * task.action_size
    assert environment.spec.max_episode_steps == task.max_episode_steps
    environment.close()


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(
        HarnessError, match="unknown dataset 'hoper-medium-v2'; did you mean hopper-medium-v2"
    ):
        registry.find("hoper-medium-v2")


def test_unknown_names_are_answered_with_datasets_of_packages_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "installed", lambda: {"lab-lift-v0": None})
    for path in ("datasets/lift_expert-v0.hdf5", "d4rl/lift_random-v0.hdf5", "d4rl/hopper_medium-v2.hdf5"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    with pytest.raises(HarnessError, match="'lab-lif-v0'; did you mean lab-lift-v0"):
        registry.find("lab-lif-v0")
    with pytest.raises(HarnessError, match=r"did you mean datasets/lift_expert-v0.hdf5 or "):
        registry.find("lift-expert-v0")
    with pytest.raises(HarnessError, match=rf"did you mean {tmp_path}/d4rl/lift_random-v0.hdf5 or "):
        registry.find("lift-randm-v0")
    with pytest.raises(HarnessError, match="did you mean hopper-medium-v2 or"):
        registry.find("hopper-medum-v2")


def test_reference_scores_by_environment():
    assert reference_of_environment("Hopper-v5") == registry.find("hopper-medium-v2").reference
    assert reference_of_environment("Pendulum-v1") == registry.find("pendulum-expert-v0").reference
    assert reference_of_environment("Swimmer-v4") is None
    assert reference_of_environment(None) is None


@pytest.mark.parametrize("kind", ["random", "medium", "medium-replay", "medium-expert", "expert"])
def test_shipped_files_say_how_they_were_made(kind):
    import h5py

    dataset = registry.find(f"pendulum-{kind}-v0")
    with h5py.File(dataset.local_path) as file:
        assert file.attrs["environment"] == "Pendulum-v1"
        assert file.attrs["policy"]
        assert file.attrs["reference_min_score"] == dataset.reference.minimum
        assert file.attrs["reference_max_score"] == dataset.reference.maximum
        ends = file["timeouts"][:].nonzero()[0]
        assert not file["terminals"][:].any()
        assert (ends[1:] - ends[:-1] == 200).all()
        returns = file["rewards"][:].reshape(-1, 200).sum(axis=1)
        assert returns.mean() == pytest.approx(file.attrs["mean_return"], rel=1e-5)
