from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from harness.storage.progress import Progress, TrialProgress
from harness.tuning import status_view

HOLDER: Any = {"pid": 7, "host": "box", "started": 0.0, "renewed": 0.0}


def terminal(width: int = 80, height: int = 24) -> Console:
    return Console(width=width, height=height, file=io.StringIO(), color_system=None, force_terminal=True)


def frame(progress: Progress, console: Console) -> list[str]:
    with console.capture() as capture:
        console.print(status_view.view(progress, "results/small", console))
    return [line.rstrip() for line in capture.get().splitlines()]


def trials(count: int = 2) -> list[TrialProgress]:
    return [TrialProgress(f"k{seed}", "bc", f"d{seed}", seed, 12_000) for seed in range(count)]


def test_view_of_many_trials_fits_the_terminal_and_shows_running_ones_first() -> None:
    many = trials(225)
    many[200].state = "running"
    many[210].state, many[210].reason = "failed", "ValueError: " + "very long " * 20
    shown = frame(Progress(many, HOLDER), terminal())
    assert len(shown) <= 23
    assert any(line.startswith("d200 ") for line in shown)
    assert any(line.startswith("failed bc on d210, seed 210: ValueError: very long") for line in shown)
    assert shown[-2] == "0% trained | 0 of 225 trials done, 1 running, 1 failed, 223 waiting"
    assert shown[-1].startswith("Running: process 7 on box, since ")


@pytest.mark.parametrize(
    ("driver", "state", "said"),
    [
        (None, "waiting", "No driver is running; resume with: harness resume results/small"),
        (None, "done", "All trials are done; show the results with: harness table results/small"),
        (HOLDER | {"stopping": True}, "running", "Stopping: process 7 on box, since "),
    ],
)
def test_driver_line_names_the_driver_or_what_to_do_next(driver: Any, state: Any, said: str) -> None:
    some = trials()
    for trial in some:
        trial.state = state
    assert status_view.driver_line(Progress(some, driver), "results/small").startswith(said)


def test_driver_line_quotes_directories_with_spaces() -> None:
    said = status_view.driver_line(Progress(trials(), None), "my results")
    assert said.endswith("harness resume 'my results'")


def test_driver_line_counts_trials_that_are_not_selected() -> None:
    some = trials(3)
    some[0].selected = False
    assert status_view.driver_line(Progress(some, HOLDER), "x").endswith("; 1 of 3 trials are not selected")


def test_show_without_a_terminal_prints_whole_lines_with_labelled_scores(
    capsys: pytest.CaptureFixture[str],
) -> None:
    some = trials()
    some[0].state, some[0].reason = "failed", "ValueError: " + "very long " * 20
    some[1].update({"trial": "", "step": 6000, "steps_per_second": 50.0, "normalized_score": 36.54})
    some[1].state = "running"
    status_view.show(Progress(some, HOLDER), "x", Console(file=io.StringIO()))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["state", "algorithm", "dataset", "seed", "gradient", "steps", "score", "note"]
    assert lines[1].endswith(("very long " * 20).strip())
    assert lines[2].endswith("6,000 of 12,000  latest normalized score 36.5  50 steps/s")
    some[1].state, some[1].edited = "waiting", True
    assert status_view.trial_lines(Progress(some, HOLDER))[2].endswith("ran with another version of its code")
    assert lines[4] == "25% trained | 0 of 2 trials done, 1 running, 1 failed | 2 min left | 50 steps/s"


def test_watch_passes_the_previous_progress_until_no_driver_is_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_work, ended = Progress(trials(), HOLDER), Progress(trials())
    left, seen = [at_work, ended], []
    monkeypatch.setattr(status_view, "WATCH_SECONDS", 0.0)

    def look(earlier: Progress | None) -> Progress:
        seen.append(earlier)
        return left.pop(0)

    status_view.watch(look, "results/small", terminal())
    assert seen == [None, at_work]
