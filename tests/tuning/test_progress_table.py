from __future__ import annotations

import io

from rich.console import Console

from harness.storage.progress import Progress, TrialProgress
from harness.tuning.progress_table import progress_table


def seed(variant: str, dataset: str, number: int, state="waiting", step: int = 0, **more) -> TrialProgress:
    key = f"{variant}-{dataset}-{number}"
    return TrialProgress(key, variant, dataset, number, 100, state, step, **more)


def lines(trials: list[TrialProgress], width: int = 80, height: int = 20) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(progress_table(Progress(trials), width, height))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_table_shows_the_mean_score_and_a_bar_of_all_seeds() -> None:
    shown = lines(
        [
            seed("bc", "hopper", 0, "done", 100, score=10.0),
            seed("bc", "hopper", 1, "running", 50, score=20.0),
            seed("td3", "hopper", 0),
            seed("td3", "hopper", 1),
        ]
    )
    assert shown[0].split() == ["bc", "td3"]
    assert shown[1].split() == ["hopper", "15.0", "███▌░", "-", "░░░░░"]
    assert shown[2] == "latest normalized score, mean over seeds | bar: trained"


def test_table_marks_failures_divergence_and_returns() -> None:
    shown = lines(
        [
            seed("bc", "mine", 0, "done", 100, score=-1234.5, score_kind="return", diverged="q1"),
            seed("bc", "mine", 1, "failed", 30),
        ],
    )
    assert shown[1].split() == ["mine", "(return)", "-1234.5!██xxx"]
    assert shown[2] == "latest return, mean over seeds | bar: trained | x failed | ! diverged"


def test_table_of_more_variants_than_fit_continues_in_blocks() -> None:
    variants = [f"v{number}" for number in range(7)]
    shown = lines([seed(variant, "hopper-medium-v2", 0) for variant in variants])
    assert [line.split() for line in (shown[0], shown[2])] == [variants[:4], variants[4:]]
    assert sum(line.startswith("hopper-medium-v2") for line in shown) == 2


def test_table_folds_long_names_of_variants_so_that_they_differ() -> None:
    names = [f"td3_bc@alpha={alpha}" for alpha in (1, 2.5)]
    first, second = (line.split() for line in lines([seed(name, "x", 0) for name in names])[:2])
    assert [start + end for start, end in zip(first, second, strict=True)] == names


def test_table_without_room_for_all_rows_shows_running_ones_and_counts_the_others() -> None:
    trials = [seed("bc", f"d{number}", 0) for number in range(30)]
    trials[25].state = "running"
    shown = lines(trials, height=6)
    assert len(shown) == 6
    assert [line.split()[0] for line in shown[1:5]] == ["d0", "d1", "d2", "d25"]
    assert shown[5].startswith("26 more rows | ")


def test_table_in_a_narrow_terminal_is_empty() -> None:
    assert lines([seed("bc", "hopper", 0)], width=20) == [""]
