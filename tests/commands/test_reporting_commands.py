"""The verbs that show results, as a user types them."""

import json

import pandas as pd
import pytest

from harness import cli
from harness.reporting import significance, statistics
from tests import synthetic


@pytest.fixture(autouse=True)
def _few_repetitions_and_reports_without_figures(monkeypatch):
    monkeypatch.setattr("harness.reporting.report.page.draw_pictures", lambda material: ([], {}))
    monkeypatch.setattr(statistics, "REPETITIONS", 200)
    monkeypatch.setattr(significance, "RESAMPLES", 500)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    experiment = synthetic.experiment(steps=2_000)
    return synthetic.write(tmp_path_factory.mktemp("results") / "small", experiment)


@pytest.fixture(scope="module")
def better(tmp_path_factory):
    experiment = synthetic.experiment(steps=2_000)
    rows = synthetic.frame(experiment, 1)
    rows["normalized_score"] += 30
    return synthetic.write(tmp_path_factory.mktemp("results") / "better", experiment, rows)


def said(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    return status, capsys.readouterr()


def test_table_prints_titles_and_a_total(capsys, directory):
    status, text = said(capsys, "table", directory)
    assert status == 0
    assert "TD3+BC" in text.out
    assert "Total" in text.out


def test_json_is_the_json_format(capsys, directory):
    _, expected = said(capsys, "table", directory, "--format", "json")
    assert said(capsys, "table", directory, "--json")[1].out == expected.out
    status, text = said(capsys, "compare", directory, directory, "--json")
    assert status == 0
    assert json.loads(text.out)["table"] == "comparison"


@pytest.mark.parametrize("suffix", ["md", "tex", "csv", "html", "json"])
def test_format_follows_the_suffix_of_the_output(capsys, directory, tmp_path, suffix):
    formats = {"md": "markdown", "tex": "latex"}
    _, expected = said(capsys, "table", directory, "--format", formats.get(suffix, suffix))
    assert said(capsys, "table", directory, "--output", tmp_path / f"t.{suffix}")[0] == 0
    assert (tmp_path / f"t.{suffix}").read_text() == expected.out


@pytest.mark.parametrize("name", ["scores", "statistics", "comparison", "improvement", "run-time", "seeds"])
def test_every_table_as_json(capsys, directory, name):
    status, text = said(capsys, "table", directory, "--table", name, "--format", "json")
    assert status == 0
    assert json.loads(text.out)["table"] == name


def test_table_output_writes_the_file_and_prints_its_name(capsys, directory, tmp_path):
    status, text = said(
        capsys, "table", directory, "--format", "latex", "--output", tmp_path / "new" / "t.tex"
    )
    assert status == 0
    assert (tmp_path / "new" / "t.tex").read_text().startswith("% \\usepackage{booktabs, graphicx}")
    assert text.out.strip().endswith("t.tex")


def test_table_write_writes_every_table_in_three_formats(capsys, tmp_path):
    run = synthetic.write(tmp_path / "run", synthetic.experiment(steps=1_000))
    status, _ = said(capsys, "table", run, "--write")
    assert status == 0
    assert {path.name for path in (run / "tables").iterdir()} == {
        f"{table}.{suffix}"
        for table in ("scores", "statistics", "comparison", "improvement", "run-time", "seeds")
        for suffix in ("md", "tex", "csv")
    }


def test_captions_of_figures_that_are_not_drawn_again_stay(capsys, directory, tmp_path):
    for name in ("scores", "learning-curves"):
        said(capsys, "plot", directory, "--figure", name, "--format", "svg", "--output", tmp_path)
    lines = (tmp_path / "captions.txt").read_text().split("\n\n")
    assert [line.partition(":")[0] for line in lines] == ["learning-curves", "scores"]


def log(tmp_path, **columns):
    """What another tool wrote, on a dataset of D4RL."""
    rows = synthetic.frame(synthetic.experiment(datasets=("hopper-medium-v2", "mine"), steps=2_000))
    rows[["algorithm", "dataset", "seed", "step"]].assign(**columns).to_csv(tmp_path / "log.csv", index=False)
    return tmp_path / "log.csv"


def test_returns_of_another_tool_are_normalized_where_the_references_are_known(capsys, tmp_path):
    status, text = said(
        capsys, "table", log(tmp_path, **{"return": 3234.3}), "--published", "td3_bc-paper-v2"
    )
    assert status == 0
    hopper, mine = (
        next(line for line in text.out.splitlines() if line.strip().startswith(name))
        for name in ("Hopper medium", "mine (return)")
    )
    assert hopper.split()[2:5] == ["100.0", "±", "0.0"]
    assert "+40.7" in hopper
    assert mine.split()[2:5] == ["3,234.3", "±", "0.0"]
    assert "Normalized here from returns" in text.out


def test_returns_are_normalized_row_by_row(capsys, tmp_path):
    path = log(tmp_path, **{"return": 3234.3, "normalized_score": 12.0})
    rows = pd.read_csv(path)
    rows.loc[rows["algorithm"] == "bc", "normalized_score"] = None
    rows.to_csv(path, index=False)
    status, text = said(capsys, "table", path, "--format", "csv")
    assert status == 0
    hopper = next(line for line in text.out.splitlines() if line.startswith("hopper-medium-v2"))
    assert {"12.0", "100.0"} <= set(hopper.split(","))


def test_results_of_another_tool_have_no_note_on_environments(capsys, tmp_path):
    status, text = said(capsys, "table", log(tmp_path, normalized_score=1.0))
    assert status == 0
    assert "mujoco" not in text.out


@pytest.mark.parametrize("verb", ["table", "report"])
def test_published_algorithms_are_chosen_after_a_colon(capsys, tmp_path, verb):
    path = log(tmp_path, normalized_score=1.0)
    status, text = said(capsys, verb, path, "--published", "corl-last:iql,cql", "--published", "jax-corl:iql")
    assert status == 0
    shown = text.out if verb == "table" else (tmp_path / "report.html").read_text()
    assert "67.5" in shown
    assert "56.8" in shown
    assert "CQL" in shown


@pytest.mark.parametrize("verb", ["table", "plot", "report"])
def test_published_scores_that_fit_nowhere_are_rejected(capsys, directory, tmp_path, verb):
    status, text = said(capsys, verb, directory, "--published", "corl-last")
    assert status == 2
    assert "published corl-last has no scores on pendulum-medium-v0" in text.err
    assert text.err.count("\n") == 1


def test_published_scores_of_longer_training_are_noted(capsys, tmp_path):
    _, text = said(capsys, "table", log(tmp_path, normalized_score=1.0), "--published", "corl-last")
    assert "corl-last trained for 1,000,000 gradient steps, ours for 2,000." in text.out


def test_plot_of_one_figure_writes_it_and_its_caption(capsys, directory, tmp_path):
    figures = tmp_path / "figures"
    status, text = said(
        capsys, "plot", directory, "--figure", "scores", "--format", "svg,svg", "--output", figures
    )
    assert status == 0
    assert text.out.split() == [str(figures / "scores.svg")]
    assert {path.name for path in figures.iterdir()} == {"scores.svg", "captions.txt"}


def test_plot_draws_any_metric(capsys, directory, tmp_path):
    arguments = ("--format", "svg", "--output", tmp_path)
    assert said(capsys, "plot", directory, "--figure", "metric-critic_loss", *arguments)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"metric-critic_loss.svg", "captions.txt"}
    status, text = said(capsys, "plot", directory, "--figure", "metric-critic_los", *arguments)
    assert status == 2
    assert "--figure metric-critic_los: no such figure; did you mean metric-critic_loss" in text.err


def test_report_of_two_results_holds_both(capsys, directory, better, tmp_path):
    status, _ = said(capsys, "report", directory, better, "--output", tmp_path / "both.html")
    assert status == 0
    assert (tmp_path / "both.html").read_text().count("<article") == 2


def test_compare_expect_sets_the_exit_status(capsys, directory, better):
    assert said(capsys, "compare", directory, directory, "--expect", "same")[0] == 0
    assert said(capsys, "compare", directory, better, "--expect", "better")[0] == 0
    assert said(capsys, "compare", directory, better)[0] == 0
    status, text = said(capsys, "compare", better, directory, "--expect", "better", "--only", "algorithm=bc")
    assert status == 1
    assert "expected better: bc on all datasets: worse" in text.err
    assert said(capsys, "compare", directory, better, "--expect", "same")[0] == 1


def test_compare_same_without_a_margin_says_what_it_shows(capsys, directory, tmp_path):
    rows = synthetic.frame(synthetic.experiment(steps=2_000), 1)
    other = synthetic.write(tmp_path / "other", synthetic.experiment(steps=2_000), rows)
    status, text = said(capsys, "compare", directory, other, "--expect", "same")
    assert status == 0
    assert text.err.startswith("note: --expect same without --margin fails only where")
    assert text.err.count("\n") == 1
    status, text = said(capsys, "compare", directory, other, "--expect", "same", "--margin", "0.1")
    assert status == 1
    assert "not shown to be within 0.1 points" in text.err


def test_compare_with_a_baseline(capsys, directory):
    status, text = said(capsys, "compare", directory, "--baseline", "td3_bc", "--format", "markdown")
    assert status == 0
    assert "TD3, Pendulum medium" in text.out
    assert "Each variant against TD3+BC" in text.out
    assert said(capsys, "compare", directory, "--baseline", "td3_bc", "--expect", "better")[0] == 1


def test_only_selects_trials_in_every_verb_that_shows_results(capsys, directory, tmp_path):
    only = ("--only", "algorithm=bc", "--only", "seed=0,1")
    table = said(capsys, "table", directory, *only)[1].out
    assert "TD3" not in table
    assert "Selected: algorithm bc; seed 0, 1." in table
    compared = said(capsys, "compare", directory, "--baseline", "td3_bc", *only, "--json")[1].out
    assert {row["label"].split(",")[0] for row in json.loads(compared)["rows"]} == {"BC"}
    said(capsys, "plot", directory, *only, "--figure", "scores", "--format", "svg", "--output", tmp_path)
    assert "mean over 2 seeds" in (tmp_path / "captions.txt").read_text()
    said(capsys, "report", directory, *only, "--output", tmp_path / "r.html")
    assert "<title>synthetic (algorithm bc; seed 0, 1)</title>" in (tmp_path / "r.html").read_text()


def test_published_as_json(capsys):
    rows = {row["name"]: row for row in json.loads(said(capsys, "published", "list", "--json")[1].out)}
    assert rows["corl-last"]["protocols"]["IQL"]["gradient_steps"] == 1_000_000
    assert "hopper-medium-v2" in rows["corl-last"]["datasets"]
    shown = json.loads(said(capsys, "published", "show", "corl-last:iql", "--json")[1].out)
    assert [column["key"] for column in shown["columns"]] == ["IQL"]


def test_published_lists_sources_and_shows_scores(capsys):
    status, text = said(capsys, "published", "list")
    assert status == 0
    for name in ("td3_bc-paper-v2", "td3_bc-paper-v0", "corl-last", "corl-best", "offlinerl-kit", "jax-corl"):
        assert name in text.out
    assert "ddof=0" in text.out
    assert "    EDAC, MOPO, MOBILE: 3,000,000 gradient steps" in text.out
    status, text = said(capsys, "published", "show", "td3_bc-paper-v2")
    assert status == 0
    assert "48.3 ± 0.3" in text.out
    text = said(capsys, "published", "show", "corl-last:iql")[1]
    assert "IQL" in text.out
    assert "EDAC" not in text.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table", "NOWHERE"], "no such results"),
        (["table", "DIR", "--published", "corl"], "no published scores 'corl'"),
        (["table", "DIR", "--published", "corl-last"], "corl-last has no scores on pendulum-medium-v0"),
        (["plot", "DIR", "--reference", "td3bc"], "did you mean td3_bc"),
        (["plot", "DIR", "--figure", "sensitivity"], "no hyper-parameter was swept"),
        (["report", "NOWHERE"], "no such results"),
        (["compare", "DIR", "NOWHERE"], "no such results"),
        (["compare", "DIR", "DIR", "--only", "algorithm=cql"], "no algorithm cql"),
        (["compare", "DIR", "--baseline", "td3bc"], "no variant td3bc; did you mean td3_bc"),
        (["published", "show", "corl-lats"], "did you mean corl-last"),
        (["table", "DIR", "--output", "/proc/nothing/x.csv", "--format", "csv"], "cannot be written"),
    ],
)
def test_mistakes_get_one_line_and_status_2(capsys, directory, tmp_path, arguments, words):
    places = {"DIR": str(directory), "NOWHERE": str(tmp_path / "nowhere")}
    status, text = said(capsys, *(places.get(argument, argument) for argument in arguments))
    assert status == 2
    assert text.err.startswith("harness: error: ")
    assert words in text.err
    assert text.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "a"], "compare DIR --baseline NAME"),
        (["compare", "a", "b", "--baseline", "bc"], "compare DIR --baseline NAME"),
        (["compare", "a", "b", "--margin", "-1"], "-1.0 is not in the range"),
        (["table", "a", "--published", "corl-last", "--table", "seeds"], "applies only to the scores table"),
        (
            ["table", "a", "--output", "x"],
            "--output x: use a name that ends in .md, .tex, .csv, ",
        ),
        (["table", "a", "--output", "x", "--format", "terminal"], "add --format with one of markdown, "),
        (["plot", "a", "--format", "png,gif"], "Invalid value for '--format': 'gif' is not one of 'png', "),
        (["plot", "a", "--format", ","], "Invalid value for '--format': give at least one"),
        (["table", "a", "--json", "--format", "csv"], "--json and --format csv exclude each other"),
        (["table", "a", "--write", "--format", "html"], "leave out --table, --format and --output"),
    ],
)
def test_options_that_do_not_fit_get_one_line_and_status_2(capsys, arguments, words):
    status, text = said(capsys, *arguments)
    assert status == 2
    assert words in text.err
    assert text.err.count("\n") == 1


@pytest.mark.parametrize(("folder", "verb"), [("tables", ["table", "--write"]), ("figures", ["plot"])])
def test_nothing_is_written_through_a_link_out_of_the_directory(capsys, tmp_path, folder, verb):
    run = synthetic.write(tmp_path / "run", synthetic.experiment(steps=1_000))
    (tmp_path / "elsewhere").mkdir()
    (run / folder).symlink_to(tmp_path / "elsewhere")
    status, text = said(capsys, verb[0], run, *verb[1:])
    assert status == 2
    assert "a link there points outside" in text.err
    assert not list((tmp_path / "elsewhere").iterdir())
