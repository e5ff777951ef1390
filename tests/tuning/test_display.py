from __future__ import annotations

import io

from rich.console import Console

from harness.storage.progress import Progress, TrialProgress
from harness.tuning.display import Display, LiveDisplay, open_display


class Clock:
    """A clock that tests can set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress() -> Progress:
    done = TrialProgress("a", "bc", "hopper", 0, 1000, "done", 1000, 100.0, 55.55)
    running = TrialProgress("b", "td3_bc", "hopper", 1, 1000, "running", 500, 10.0, -3.21)
    waiting = TrialProgress("c", "td3_bc", "[bold]x[/bold]", 2, 1000)
    return Progress([done, running, waiting])


def live(**options: object) -> tuple[LiveDisplay, Console, Clock]:
    clock = Clock()
    console = Console(file=io.StringIO(), force_terminal=True, **{"width": 80, "height": 24, **options})  # type: ignore[arg-type]
    return LiveDisplay(progress(), console, clock), console, clock


def frame(shown: LiveDisplay, console: Console) -> list[str]:
    plain = Console(width=console.width, file=io.StringIO(), color_system=None)
    with plain.capture() as capture:
        plain.print(shown.view())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_live_display_shows_the_preparation_and_then_the_headline() -> None:
    shown, console, clock = live()
    shown.prepare("Starting Ray on this machine")
    clock.now = 4.0
    assert frame(shown, console)[-1] == "Starting Ray on this machine ... 4 s"
    shown.begin(concurrency=1)
    last = frame(shown, console)[-1]
    assert last == "50% trained | 1 of 3 trials done, 1 running, 1 waiting | 3 min left | 10 steps/s"


def test_live_display_prints_no_line_per_trial_and_restores_the_cursor() -> None:
    shown, console, _ = live()
    with shown:
        shown.finished(progress().trials[0])
        shown.say("failed [bc]")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "failed [bc]" in text
    assert "done bc" not in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_live_display_fits_any_terminal() -> None:
    for width, height in ((200, 50), (80, 24), (40, 8), (20, 4), (5, 2)):
        shown, console, _ = live(width=width, height=height)
        lines = frame(shown, console)
        assert all(len(line) <= width for line in lines)
        assert len(lines) <= height


def test_live_display_adapts_to_a_changed_width() -> None:
    shown, console, _ = live()
    shown.begin(concurrency=1)
    before = frame(shown, console)
    for width in (40, 200, 80):
        console.width = width
        lines = frame(shown, console)
        assert all(len(line) <= width for line in lines)
        assert any("hopper" in line for line in lines)
    assert lines == before


def test_open_display_without_a_terminal_is_plain(monkeypatch) -> None:
    assert type(open_display(progress(), io.StringIO())) is Display
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(open_display(progress(), io.StringIO()), LiveDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert type(open_display(progress(), io.StringIO())) is Display


def test_plain_display_prints_a_headline_at_intervals() -> None:
    output, clock = io.StringIO(), Clock()
    with Display(progress(), output, clock) as shown:
        shown.prepare("Starting Ray on this machine")
        shown.begin(concurrency=1)
        for clock.now in (0.0, 10.0, 29.0, 31.0):
            shown.update()
        shown.finished(progress().trials[0])
    lines = output.getvalue().splitlines()
    assert lines[0] == "Starting Ray on this machine ..."
    assert [line[:11] for line in lines[1:3]] == ["50% trained"] * 2
    assert lines[3:] == ["done bc on hopper, seed 0: latest normalized score 55.5"]


def test_plain_display_marks_divergence_and_names_returns() -> None:
    output = io.StringIO()
    trial = TrialProgress("a", "bc", "mine", 0, 10, "done", 10, 1.0, -9.0, "return", diverged="q1 not finite")
    Display(Progress([trial]), output).finished(trial)
    assert output.getvalue() == "done bc on mine, seed 0: latest return -9.0, diverged: q1 not finite\n"
