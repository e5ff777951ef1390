import math

from hypothesis import given
from hypothesis import strategies as st

from harness.search.halving import TrialScore, standing, steps_to_train, survivors

scores = st.lists(st.floats(-100, 100), min_size=1, max_size=12)


def decided(values, rungs=(1, 2), eta=3, reached=2):
    """Return the standing of samples with one trial each, which has the same score at every rung."""
    return standing(
        {f"s{index}": [f"s{index}"] for index in range(len(values))},
        rungs,
        eta,
        lambda key, rung: TrialScore("d", values[int(key[1:])], True) if rung <= reached else None,
    )


@given(scores, st.integers(2, 4))
def test_standing_continues_the_best_of_each_rung(values, eta):
    found = decided(values, eta=eta)
    first, second = survivors(len(values), (1, 2), eta)
    assert found.until is None
    assert len(found.continuing) == second
    assert sum(rung == 1 for rung in found.stopped.values()) == len(values) - first
    stopped = [values[int(name[1:])] for name in found.stopped]
    assert max(stopped, default=-math.inf) <= min(values[int(name[1:])] for name in found.continuing)


@given(scores)
def test_standing_at_later_rungs_keeps_earlier_decisions(values):
    before, after = decided(values, reached=1), decided(values, reached=2)
    assert before.until == 2
    assert before.stopped.items() <= after.stopped.items()


def test_standing_before_all_trials_reach_the_rung_decides_nothing():
    trials = {"s0": ["a", "b"], "s1": ["c"]}
    found = standing(trials, [5], 2, lambda key, _: None if key == "b" else TrialScore("d", 1.0, True))
    assert (found.continuing, found.until, found.stopped) == (("s0", "s1"), 5, {})


def test_standing_of_equal_samples_continues_the_first_drawn():
    assert decided([1.0, 1.0, 1.0, 1.0], rungs=(1,), eta=2).continuing == ("s0", "s1")


def test_standing_compares_means_over_seeds_and_datasets():
    values = {
        "a": ("x", 0.0),
        "b": ("x", 10.0),
        "c": ("y", 4.0),
        "d": ("x", 5.0),
        "e": ("x", 5.0),
        "f": ("y", 3.0),
    }
    trials = {"s0": ["a", "b", "c"], "s1": ["d", "e", "f"]}
    found = standing(trials, [1], 2, lambda key, _: TrialScore(*values[key], True))
    assert found.continuing == ("s0",)


def test_standing_ranks_a_diverged_sample_last():
    values = {"a": -math.inf, "b": 100.0, "c": -50.0}
    trials = {"s0": ["a", "b"], "s1": ["c"]}
    found = standing(trials, [1], 2, lambda key, _: TrialScore("d", values[key], True))
    assert found.continuing == ("s1",)


def test_steps_to_train_counts_the_samples_after_each_rung():
    assert survivors(9, (10, 30), 3) == [3, 1]
    assert steps_to_train(9, (10, 30), 3, 100) == 9 * 10 + 3 * 20 + 1 * 70
