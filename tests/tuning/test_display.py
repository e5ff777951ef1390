from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from harness.storage.progress import Progress, TrialProgress
from harness.tuning.display import LiveDisplay, PlainDisplay, duration, headline, open_display


def progress() -> Progress:
    done = TrialProgress("a", "bc", "hopper", 0, 1000, "done", 1000, 100.0, 55.55)
    running = TrialProgress("b", "td3_bc", "hopper", 1, 1000, "running", 500, 10.0, -3.21)
    waiting = TrialProgress("c", "td3_bc", "[bold]x[/bold]", 2, 1000)
    return Progress([done, running, waiting])


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
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_headline() -> None:
    line = headline(progress(), slots=1, elapsed=61)
    assert line == (
        "50% of 3,000 steps | 1 done, 1 running, 1 waiting | 10 steps/s | 3 min left | 1 min so far"
    )


def test_in_a_terminal_it_is_a_bar_and_the_running_trials() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=140)
    with LiveDisplay(progress(), 1, console) as shown:
        shown.say("done    [bc]")
    text = screen.getvalue()
    assert "50% of 3,000 steps" in text
    assert "500 / 1,000" in text
    assert "-3.2" in text
    assert "done    [bc]" in text


def test_elsewhere_it_is_plain_lines_now_and_then() -> None:
    output = io.StringIO()
    assert isinstance(open_display(progress(), 1, output), PlainDisplay)
    with PlainDisplay(progress(), 1, output, line_seconds=0.05) as shown:
        shown.update()
        assert output.getvalue() == ""
        time.sleep(0.06)
        shown.update()
        shown.say("done    bc")
    lines = output.getvalue().splitlines()
    assert lines[0].startswith("50% of 3,000 steps")
    assert lines[1] == "done    bc"
