from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.reporting import figures
from harness.reporting.results import Results
from harness.reporting.selection import online
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.selection.importance import importances
from harness.reporting.tables import FORMATS, make_table
from tests.reporting.selection import make

NAMES = ("online-performance", "selection-cost", "responses", "parallel-coordinates")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make.results(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Results:
    sweep = {
        "algorithms.td3_bc.alpha": {"log_uniform": [0.1, 10]},
        "algorithms.td3_bc.policy_freq": {"choice": [1, 2]},
        "algorithms.td3_bc.state_normalization": {"choice": ["standardize", "none"]},
    }
    of = make.experiment(algorithms={"td3_bc": {}}, sweep=sweep, samples=9, seeds=2)
    return make.results(tmp_path_factory.mktemp("drawn"), of)


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "REPETITIONS", 50)
    monkeypatch.setattr("harness.reporting.figures.selection.EPISODES_PER_POLICY", 2)


def test_online_performance_table_begins_at_the_mean_and_rises(results: Results) -> None:
    table = make_table("online-performance", results, "final")
    assert [column.key for column in table.columns] == ["k_1", "k_2", "k_4", "k_5"]
    medium, _, mean = table.rows
    candidates = all_candidates(results, "final")[0]
    assert medium.cells[0].value == pytest.approx(candidates.means.mean())
    values = [cell.value or 0.0 for cell in mean.cells]
    assert values == sorted(values)
    assert all(cell.interval[0] <= cell.interval[1] for cell in mean.cells if cell.interval)
    for text in (FORMATS["csv"](table), FORMATS["latex"](table), FORMATS["html"](table)):
        assert text


def test_offline_selection_table_says_how_well_each_rule_ranks(results: Results) -> None:
    table = make_table("offline-selection", results, "final")
    rows = {row.label.removesuffix(", TD3+BC"): row.cells for row in table.rows}
    fqe, wrong = rows["Pendulum medium, TD3+BC, fqe"], rows["Pendulum expert, TD3+BC, fqe"]
    assert fqe[0].value == pytest.approx(1)
    assert fqe[1].value == 0
    assert wrong[0].value == pytest.approx(-1)
    assert wrong[1].value == pytest.approx(wrong[6].value - wrong[4].value)  # type: ignore[operator]
    assert wrong[3].value == 0  # regret@5 of five samples


def test_tables_without_what_they_need_say_so_in_one_line(results: Results, tmp_path: Path) -> None:
    bare = make.results(tmp_path, make.experiment(sweep={}), with_estimates=False)
    for name in ("online-performance", "offline-selection", "importance"):
        with pytest.raises(HarnessError, match="no hyper-parameter was searched"):
            make_table(name, bare, "final")
    with pytest.raises(HarnessError, match="importance needs 8 finished samples; td3_bc has 5"):
        make_table("importance", results, "final")


def test_importance_without_optuna_says_what_to_install(
    drawn: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(HarnessError, match=r"pip install 'offline-rl-harness\[search\]'"):
        make_table("importance", drawn, "final")


def test_importance_finds_the_hyperparameter_that_the_scores_follow(drawn: Results) -> None:
    pytest.importorskip("optuna")
    candidates = all_candidates(drawn, "final")[0]
    samples = drawn.searches["td3_bc"].samples
    alphas = [samples[name]["alpha"] for name in candidates.names]
    follows = replace(candidates, scores=np.array([alphas, alphas], np.float64).T)
    shares = importances(drawn, follows)
    assert list(shares) == ["alpha", "policy_freq", "state_normalization"]
    assert shares["alpha"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", ["results", "drawn"])
def test_figures_of_a_search_are_drawn(name: str, which: str, request: pytest.FixtureRequest) -> None:
    drawing = figures.draw(name, figures.Material(request.getfixturevalue(which)))
    assert drawing.caption.endswith(".")
    assert figures.render(drawing, "svg")


@pytest.mark.parametrize("name", NAMES)
def test_figures_of_a_search_need_a_search(name: str, tmp_path: Path) -> None:
    bare = make.results(tmp_path, make.experiment(sweep={}), with_estimates=False)
    with pytest.raises(HarnessError, match="no hyper-parameter was searched"):
        figures.draw(name, figures.Material(bare))


def test_selection_cost_without_estimates_has_no_levels_of_them(results: Results) -> None:
    without = replace(results, estimates=results.estimates.iloc[:0])
    drawing = figures.draw("selection-cost", figures.Material(without))
    labels = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert "UCB" in labels
    assert "Selected by FQE" not in labels


def test_samples_table_lists_the_best_first_with_values_and_estimates(drawn: Results) -> None:
    table = make_table("samples", drawn, "final")
    keys = [column.key for column in table.columns]
    scores = [row.cells[0].value or 0.0 for row in table.rows]
    assert len(scores) == 9
    assert scores == sorted(scores, reverse=True)
    assert table.rows[0].label == "TD3+BC s08"
    best = dict(zip(keys, table.rows[0].cells, strict=True))
    values = drawn.searches["td3_bc"].samples["td3_bc@s08"]
    assert best["alpha"].value == values["alpha"]
    assert best["state_normalization"].text == values["state_normalization"]
    assert best["fqe pendulum-medium-v0"].value == 8
    assert FORMATS["csv"](table).count("\n") == 10


def test_samples_table_without_estimates_has_no_columns_of_them(results: Results) -> None:
    without = replace(results, estimates=results.estimates.iloc[:0])
    table = make_table("samples", without, "final")
    assert [column.key for column in table.columns][2:] == ["alpha"]
