import numpy as np
import pytest
import torch

from harness.datasets.dataset import OfflineDataset, ReferenceScores


def random_dataset(size=300, observation_size=3, action_size=1, limit=2.0, environment="Pendulum-v1", seed=0):
    random = np.random.default_rng(seed)
    transitions = random.normal(size=(size, 2 * observation_size + action_size + 2)).astype(np.float32)
    actions = transitions[:, observation_size : observation_size + action_size]
    np.clip(actions, -limit, limit, out=actions)
    transitions[:, -1] = random.random(size) < 0.1
    transitions.setflags(write=False)
    return OfflineDataset(
        name="random",
        transitions=transitions,
        observation_size=observation_size,
        action_size=action_size,
        environment=environment,
        reference=ReferenceScores(-1200.0, -150.0),
        digest="0" * 64,
        next_actions=actions[::-1].copy(),
    )


@pytest.fixture
def dataset():
    return random_dataset()


@pytest.fixture(autouse=True)
def _one_thread():
    """As in a worker: how a sum is split among threads shows in its last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
