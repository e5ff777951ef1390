import pandas as pd
import pytest

from harness.reporting.comparison import compare
from harness.reporting.reading import records
from harness.reporting.report import report
from harness.reporting.tables import FORMATS, score_table
from harness.reporting.tables.comparison import comparison_table
from harness.reporting.tables.model import Emphasis
from harness.reporting.tables.seeds import seeds_table


@pytest.fixture(scope="module")
def successes():
    """Two algorithms that open a door in 86 and in 94 of 100 episodes."""
    rows = [
        {"algorithm": name, "dataset": "door", "seed": seed, "step": 1_000, "return": rate + 0.001 * seed}
        for name, rate in (("a", 0.86), ("b", 0.94))
        for seed in range(3)
    ]
    return records.from_frame(pd.DataFrame(rows), "log.csv")


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ([0.86, 0.94], 3),
        ([-0.0123, None], 4),
        ([0.00001], 4),
        ([5.0, -9.4], 2),
        ([94.0, 0.5], 1),
        ([1013.2], 1),
        ([0.0], 1),
        ([float("nan")], 1),
        ([], 1),
    ],
)
def test_returns_show_three_digits_of_the_largest(successes, scores, shown):
    assert successes.decimals("door", scores) == shown


def test_normalized_scores_show_one_decimal(results):
    assert results.decimals("pendulum-medium-v0", [0.5]) == 1


def test_small_returns_stay_distinguishable_in_every_table(successes, monkeypatch):
    monkeypatch.setattr("harness.reporting.report.page.draw_pictures", lambda material: ([], {}))
    (row,) = score_table(successes).rows
    assert [cell.plain() for cell in row.cells] == ["0.861 ± 0.001", "0.941 ± 0.001"]
    assert [cell.emphasis for cell in row.cells] == [Emphasis.NONE, Emphasis.BEST]
    seeds = seeds_table(successes).rows[0].cells
    assert [cell.plain() for cell in seeds] == ["0.860", "0.861", "0.862"]
    compared = comparison_table(compare(successes, successes)).rows[1].cells
    assert [cell.number for cell in compared[:3]] == ["0.941", "0.941", "0.000"]
    assert ">0.942</td>" in report([successes])


def test_returns_are_marked_as_such(successes):
    assert score_table(successes).rows[0].label == "door (return)"
    assert [row.label for row in seeds_table(successes).rows] == ["door (return), a", "door (return), b"]
    assert comparison_table(compare(successes, successes)).rows[0].label == "a, door (return)"


@pytest.mark.parametrize("name", ["markdown", "latex", "html"])
def test_small_returns_stay_distinguishable_in_every_format(successes, name):
    text = FORMATS[name](score_table(successes))
    assert "0.861" in text
    assert "0.941" in text
