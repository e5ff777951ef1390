import os

import pytest
import torch

from harness.bench.measuring import one_core, rates_in_turn


def test_rates_in_turn_alternates_until_the_time_is_up():
    now = [0.0]
    turns = []

    def contender(name, seconds, amount):
        def work():
            turns.append(name)
            now[0] += seconds
            return amount

        return work

    contenders = {"slow": contender("slow", 2.0, 4), "fast": contender("fast", 1.0, 8)}
    rounds = rates_in_turn(contenders, seconds=5.0, clock=lambda: now[0])
    assert rounds.to_dict("records") == [{"slow": 2.0, "fast": 8.0}] * 2
    assert turns == ["slow", "fast"] * 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system pins no process")
def test_one_core_restores_cores_and_threads():
    before = os.sched_getaffinity(0), torch.get_num_threads()
    with one_core():
        assert len(os.sched_getaffinity(0)) == 1
        assert torch.get_num_threads() == 1
    assert (os.sched_getaffinity(0), torch.get_num_threads()) == before
