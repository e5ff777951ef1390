import numpy as np
import pandas as pd
import pytest

from harness.reporting import captions, reading


def results(tmp_path, steps, episodes=None):
    """Of another tool's file; `steps` and `episodes` by dataset."""
    rows = [
        {
            "algorithm": "a",
            "dataset": dataset,
            "seed": 0,
            "step": step,
            "normalized_score": 1.0,
            "return": 0.0,
        }
        | ({"episode_returns": [0.0] * episodes[dataset]} if episodes else {})
        for dataset, at in steps.items()
        for step in at
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "log.parquet")
    return reading.load(tmp_path / "log.parquet")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({"d": range(5_000, 30_001, 5_000)}, "30,000 gradient steps, evaluated every 5,000."),
        ({"d": range(5_000, 30_001, 5_000), "e": range(7_000, 35_001, 7_000)}, "every 5,000 to 7,000."),
        ({"d": [1, *range(1_000, 9_001, 1_000)]}, "9,000 gradient steps, evaluated every 1,000."),
        ({"d": [0, 400, 800, 1_000]}, "1,000 gradient steps, evaluated every 400."),
        ({"d": [0, 1_000, 5_000, 6_000, 9_000]}, "9,000 gradient steps."),
        ({"d": [9_000]}, "9,000 gradient steps."),
    ],
)
def test_interval_of_evaluation_is_read_from_the_steps(tmp_path, steps, said):
    assert captions.protocol(results(tmp_path, steps)).endswith(said)


def test_single_episode_of_an_evaluation_is_singular(tmp_path):
    found = results(tmp_path, {"d": [1_000]}, episodes={"d": 1})
    assert captions.protocol(found).endswith("over 1 episode.")


def test_differing_numbers_of_episodes_and_evaluations_are_given_as_ranges(tmp_path):
    steps = {"d": range(1, 4), "e": range(1, 6), "f": range(1, 21)}
    found = results(tmp_path, steps, episodes={"d": 2, "e": 5, "f": 5})
    assert captions.protocol(found).endswith("evaluated every 1 over 2 to 5 episodes.")
    assert captions.final_evaluations(found) == "final 10 evaluations (or all 3 to 5, where it has fewer)"
    alone = results(tmp_path, {"f": np.arange(1, 21)})
    assert captions.of_trial(alone, "final") == "each trial's mean over its final 10 evaluations"


def test_the_caption_of_a_figure_ends_with_the_protocol(tmp_path):
    found = results(tmp_path, {"hopper-medium-v2": range(1_000, 5_001, 1_000)})
    caption = captions.of_figure(found, "What is drawn.")
    assert caption == "What is drawn. 5,000 gradient steps, evaluated every 1,000. Datasets: v2."
