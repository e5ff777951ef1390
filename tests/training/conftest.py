import numpy as np
import pytest

from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.environments.spec import EnvironmentSpec
from tests.one_thread import one_thread  # noqa: F401

SHORT_PENDULUM = EnvironmentSpec.of("Pendulum-v1", {"max_episode_steps": 20})


def random_dataset(
    size=300, observation_size=3, action_size=1, limit=2.0, environment=SHORT_PENDULUM, seed=0
):
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
