from __future__ import annotations

import pytest

from harness.storage.progress import Progress, TrialProgress
from harness.tuning.summary import duration, headline


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_duration_has_suitable_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def run() -> Progress:
    done = TrialProgress("a", "bc", "hopper", 0, 1000, "done", 1000, 100.0)
    running = TrialProgress("b", "bc", "hopper", 1, 1000, "running", 500, 10.0)
    failed = TrialProgress("c", "bc", "hopper", 2, 1000, "failed")
    waiting = TrialProgress("d", "bc", "hopper", 3, 1000)
    return Progress([done, running, failed, waiting])


def test_headline_counts_add_up_to_all_trials() -> None:
    line = headline(run(), concurrency=1, elapsed=61, width=200)
    counts = "37% trained | 1 of 4 trials done, 1 running, 1 failed, 1 waiting"
    assert line == f"{counts} | 1 min left | 10 steps/s | 1 min so far"


def test_headline_omits_parts_that_do_not_fit() -> None:
    assert headline(run(), 1, 61, width=78).endswith("1 waiting | 1 min left")


def test_headline_without_a_running_trial_names_no_time_left() -> None:
    stopped = Progress([TrialProgress("a", "bc", "hopper", 0, 1000, "waiting", 500, 10.0)])
    assert headline(stopped) == "50% trained | 0 of 1 trials done, 1 waiting"
