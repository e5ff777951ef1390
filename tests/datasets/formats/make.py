"""Episodes as collectors have them, to be stored in each format's own layout."""

import numpy as np

S, A = 3, 1


def episodes(lengths=(5, 4, 6), terminals=(False, True, False), seed=0):
    """Return for each episode its n + 1 observations, n actions and rewards, and whether it is terminal."""
    generator = np.random.default_rng(seed)
    return [
        {
            "states": generator.normal(size=(length + 1, S)).astype(np.float32),
            "actions": generator.uniform(-1, 1, (length, A)).astype(np.float32),
            "rewards": generator.normal(size=length).astype(np.float32),
            "terminal": terminal,
        }
        for length, terminal in zip(lengths, terminals, strict=True)
    ]


def flags(all_episodes):
    """Return [N] the terminals and the last steps."""
    terminals = [np.arange(len(e["actions"])) == len(e["actions"]) - 1 for e in all_episodes]
    last = np.concatenate(terminals)
    return np.concatenate([f & e["terminal"] for f, e in zip(terminals, all_episodes, strict=True)]), last


def joined(all_episodes, key):
    part = {"observations": slice(None, -1), "next_observations": slice(1, None)}.get(key)
    arrays = [e["states"][part] if part else e[key] for e in all_episodes]
    return np.concatenate(arrays)


def assert_columns(columns, all_episodes, next_observations=True):
    """Assert that what was read is exactly these episodes, apart from their ends."""
    keys = ["observations", "actions", "rewards"] + ["next_observations"] * next_observations
    for key in keys:
        found = columns.arrays[key].reshape(joined(all_episodes, key).shape)
        assert np.array_equal(found, joined(all_episodes, key)), key
    assert ("next_observations" in columns.arrays) == next_observations
