from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.reporting import documents, figures
from harness.reporting.selection.columns import next_to_best
from tests.reporting.selection import make


def test_next_to_best_shows_what_the_rule_selects_next_to_the_best(tmp_path: Path) -> None:
    results = make.results(tmp_path, make.experiment(**make.DRAWN))
    shown = next_to_best(results, "fqe", "final")
    assert shown.algorithms == ["td3_bc: FQE of 4", "td3_bc: best of 4 per dataset", "bc"]
    table = documents.make_table("scores", shown, "final")
    rows = {row.key: [cell.value or 0.0 for cell in row.cells] for row in table.rows}
    selected, best, _ = rows["pendulum-medium-v0"]
    assert selected == best
    selected, best, _ = rows["pendulum-expert-v0"]
    assert selected == pytest.approx(best - 30, abs=5)
    assert any("the one that FQE selects on each dataset" in note for note in (*table.notes, table.caption))
    assert not shown.missing
    figures.draw("learning-curves", figures.Material(shown))


def test_next_to_best_of_a_grid_names_the_command_that_selects(tmp_path: Path) -> None:
    results = make.results(tmp_path)
    with pytest.raises(HarnessError, match=r"drawn from ranges; .* harness select .* --by fqe"):
        next_to_best(results, "fqe", "final")


def test_next_to_best_without_estimates_says_how_to_make_them(tmp_path: Path) -> None:
    of = make.experiment(**make.DRAWN, selection=None)
    results = make.results(tmp_path, of, with_estimates=False)
    with pytest.raises(HarnessError, match="no fqe estimates; add `selection:"):
        next_to_best(results, "fqe", "final")
