import pickle

import numpy as np
import pytest

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import assert_columns, episodes, flags


def decision_transformer(all_episodes):
    """As kzl/decision-transformer's download_d4rl_datasets.py writes them."""
    return [
        {
            "observations": e["states"][:-1],
            "next_observations": e["states"][1:],
            "actions": e["actions"],
            "rewards": e["rewards"],
            "terminals": flags([e])[0],
        }
        for e in all_episodes
    ]


def hand_dapg(all_episodes):
    """As in hand_dapg's demonstrations: no terminals, no next observations, a dict to reset the simulator."""
    return [
        {
            "observations": e["states"][:-1].astype(np.float64),
            "actions": e["actions"].astype(np.float64),
            "rewards": e["rewards"].astype(np.float64),
            "init_state_dict": {"qpos": np.zeros(30), "qvel": np.zeros(30), "door_body_pos": np.zeros(3)},
        }
        for e in all_episodes
    ]


def cs285(all_episodes):
    """As `Path` of CS285's utils.py makes them: `terminal` is one at every end, cut or not."""
    return [
        {
            "observation": e["states"][:-1],
            "image_obs": np.array([], dtype=np.uint8),
            "reward": e["rewards"],
            "action": e["actions"],
            "next_observation": e["states"][1:],
            "terminal": flags([e])[1].astype(np.float32),
        }
        for e in all_episodes
    ]


def read_pickled(tmp_path, content, protocol=None):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    return read(Source(tmp_path / "data.pkl"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_trajectories_of_decision_transformer_are_read_in_any_protocol(tmp_path, protocol):
    columns = read_pickled(tmp_path, decision_transformer(episodes()), protocol)
    assert_columns(columns, episodes())
    terminals, last = flags(episodes())
    assert np.array_equal(columns.arrays["terminals"], terminals)
    assert np.array_equal(columns.arrays["episode_ends"], last)
    assert columns.notes == ()


def test_trajectories_of_hand_dapg_are_taken_as_cut_with_a_note(tmp_path):
    columns = read_pickled(tmp_path, hand_dapg(episodes()), 2)
    assert_columns(columns, episodes(), next_observations=False)
    assert not columns.arrays["terminals"].any()
    assert np.array_equal(columns.arrays["episode_ends"], flags(episodes())[1])
    assert (
        "nothing marks terminals: all 3 trajectories are read as truncated at their ends" in columns.notes[0]
    )


def test_trajectories_of_cs285_are_read(tmp_path):
    columns = read_pickled(tmp_path, cs285(episodes()))
    assert_columns(columns, episodes())
    assert np.array_equal(columns.arrays["terminal"], flags(episodes())[1])


def test_one_observation_more_than_actions_gives_next_observations(tmp_path):
    content = [
        {
            "observations": e["states"],
            "actions": e["actions"],
            "rewards": e["rewards"],
            "terminals": flags([e])[0],
        }
        for e in episodes()
    ]
    assert_columns(read_pickled(tmp_path, content), episodes())


def changed(number, **changes):
    content = decision_transformer(episodes())
    content[number] = {key: value for key, value in (content[number] | changes).items() if value is not None}
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(1, rewards=None), r"trajectory 1: rewards are missing \(looked for rewards, reward, rews\)"),
        (changed(1, rewards=np.zeros(3)), r"rewards of episode 1 has shape \(3,\), for 4 actions"),
        (
            changed(2, observations=np.zeros((6, 2))),
            r"observations of episode 2 has shape \(6, 2\), of the first",
        ),
        (changed(1, next_observations=None), "episode 1 has observations, actions, rewards, terminals, but"),
        (
            changed(0, actions=np.array(["x"] * 5)),
            "action[s]? has type <U1, not numbers|array of U1, not of numbers",
        ),
        ([*decision_transformer(episodes()), 3], "trajectory 3 is a int, not a dict of arrays"),
    ],
)
def test_a_trajectory_unlike_the_others_is_named(tmp_path, content, said):
    with pytest.raises(HarnessError, match=said) as error:
        read_pickled(tmp_path, content)
    assert "\n" not in str(error.value)
