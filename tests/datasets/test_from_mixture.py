import numpy as np

from harness import datasets
from harness.datasets import from_file
from harness.datasets.description import Description
from harness.datasets.settings import DatasetSettings


def test_a_mixture_shows_all_of_its_parts_in_their_shares_of_the_transitions(monkeypatch):
    """Also where the returns of a part grow from its first episode to its last, as in a replay buffer."""
    parts = {
        "replay": Description("replay", {}, np.arange(100.0), steps=1000),
        "long": Description("long", {}, 1000 + np.arange(20.0), steps=2000),
        "absent": Description("absent", {}),
    }
    monkeypatch.setattr(from_file, "describe", lambda settings: parts[settings.name])
    found = datasets.describe(DatasetSettings(name="mix", mixture={"replay": 0.5, "long": 0.5}))
    replay, long = found.returns[found.returns < 1000], found.returns[found.returns >= 1000]
    assert (len(replay), len(long)) == (50, 5)
    assert abs(replay.mean() - 49.5) < 1
    assert set(replay) <= set(np.arange(100.0))
    assert abs(long.mean() - 1009.5) < 1
    partly_here = DatasetSettings(name="mix", mixture={"replay": 0.5, "absent": 0.5})
    assert len(datasets.describe(partly_here).returns) == 0
