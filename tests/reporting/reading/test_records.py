import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import HarnessError
from harness.reporting import captions, reading
from harness.reporting.figures import Material, draw
from harness.reporting.figures.instability import worst_episodes
from harness.scores import FINAL_EVALUATIONS
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from tests import synthetic
from tests.storage.make import result


@pytest.fixture
def small():
    return synthetic.experiment(algorithms=("td3_bc", "bc"), seeds=2, steps=2_000)


@pytest.fixture
def rows(small):
    return synthetic.frame(small)


def rejected(source):
    with pytest.raises(HarnessError) as error:
        reading.load(source)
    message = str(error.value)
    assert "\n" not in message
    assert str(source).split("/")[-1] in message
    return message


def test_a_directory_as_a_run_leaves_it_is_read(directory, results):
    assert results.algorithms == ["td3_bc", "td3", "bc"]
    assert results.datasets[0] == "pendulum-random-v0"
    assert len(results.finished) == 3 * 5 * 3
    assert results.missing == []
    assert captions.episodes(results) == "10"
    assert results.normalized == results.datasets
    assert results.name == "synthetic"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_that_another_tool_wrote_is_read(tmp_path, rows, suffix):
    theirs = rows[["algorithm", "dataset", "seed", "step", "return_mean", "normalized_score"]]
    theirs = theirs.rename(columns={"return_mean": "return"}).sample(frac=1, random_state=0)
    path = tmp_path / f"log{suffix}"
    theirs.to_csv(path, index=False) if suffix == ".csv" else theirs.to_parquet(path, index=False)
    results = reading.load(path)
    assert results.experiment is None
    assert results.name == "log"
    expected = rows[(rows["algorithm"] == "bc") & (rows["seed"] == 1)].groupby("dataset")["normalized_score"]
    found = results.scores[(results.scores["algorithm"] == "bc") & (results.scores["seed"] == 1)]
    for dataset, final in zip(found["dataset"], found["final"], strict=True):
        assert final == pytest.approx(expected.get_group(dataset).tail(FINAL_EVALUATIONS).mean())


def test_episode_returns_in_a_csv_are_lists(tmp_path, rows):
    rows.to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "log.csv").write_text((tmp_path / "log.csv").read_text().replace("\n ", " "))
    rejection = rows.assign(episode_returns="ten")
    rejection.to_csv(tmp_path / "bad.csv", index=False)
    assert "episode_returns" in rejected(tmp_path / "bad.csv")
    good = rows.assign(episode_returns=[json.dumps(list(returns)) for returns in rows["episode_returns"]])
    good.to_csv(tmp_path / "good.csv", index=False)
    assert captions.episodes(reading.load(tmp_path / "good.csv")) == "10"


def test_returns_alone_are_scored_as_returns(tmp_path, rows):
    rows.drop(columns="normalized_score").to_parquet(tmp_path / "log.parquet")
    results = reading.load(tmp_path / "log.parquet")
    assert not results.normalized
    assert results.score_column(results.datasets[0]) == "return_mean"


def test_missing_trials_are_named(tmp_path, small, rows):
    rest = rows[
        ~((rows["algorithm"] == "bc") & (rows["seed"] == 1) & (rows["dataset"] == "pendulum-expert-v0"))
    ]
    rest = rest[~((rest["algorithm"] == "td3_bc") & (rest["seed"] == 0) & (rest["step"] > 1_000))]
    results = reading.load(synthetic.write(tmp_path / "run", small, rest))
    assert results.missing == [
        "td3_bc on pendulum-medium-v0, seed 0: at step 1,000 of 2,000",
        "td3_bc on pendulum-expert-v0, seed 0: at step 1,000 of 2,000",
        "bc on pendulum-expert-v0, seed 1: no evaluation yet",
    ]
    assert len(results.finished) == 8 - 3


def test_missing_trials_of_a_file_are_named_where_another_has_every_seed(tmp_path, rows):
    rest = rows[~((rows["algorithm"] == "bc") & (rows["seed"] == 1))]
    rest = rest[~((rest["algorithm"] == "td3_bc") & (rest["seed"] == 1) & (rest["step"] > 1_000))]
    rest.to_parquet(tmp_path / "log.parquet")
    assert reading.load(tmp_path / "log.parquet").missing == [
        f"{algorithm} on pendulum-{quality}-v0, seed 1: {state}"
        for algorithm, state in (("td3_bc", "at step 1,000 of 2,000"), ("bc", "no evaluation yet"))
        for quality in ("medium", "expert")
    ]


def test_seeds_of_each_algorithms_own_are_not_missing_elsewhere(tmp_path, rows):
    rows.loc[rows["algorithm"] == "bc", "seed"] += 10
    rows.to_parquet(tmp_path / "log.parquet")
    assert reading.load(tmp_path / "log.parquet").missing == []


def test_trials_that_were_not_asked_for_are_not_missing(tmp_path, small, rows):
    directory = synthetic.write(tmp_path / "run", small, rows[rows["algorithm"] == "bc"])
    requested = [trial.key for trial in small.trials() if trial.algorithm == "bc"]
    (directory / "manifest.json").write_text(json.dumps({"requested": requested}))
    assert reading.load(directory).missing == []


def test_a_failed_trial_is_named_with_its_reason(tmp_path, small, rows):
    from harness.storage import checksummed_json

    trial = small.trials()[0]
    directory = synthetic.write(tmp_path / "run", small, rows[rows["seed"] == 1])
    (directory / "trials" / trial.key).mkdir(parents=True)
    (directory / "trials" / trial.key / "error.json").write_bytes(
        checksummed_json.dumps({"reason": "out of memory"})
    )
    first, second = reading.load(directory).missing[:2]
    assert first == "td3_bc on pendulum-medium-v0, seed 0: failed (out of memory)"
    assert second.endswith("no evaluation yet")


def test_duplicate_rows_count_once_and_are_noted(tmp_path, rows):
    pd.concat([rows, rows.iloc[[3]]]).to_parquet(tmp_path / "log.parquet")
    results = reading.load(tmp_path / "log.parquet")
    assert len(results.frame) == len(rows)
    assert results.notes == ("Duplicate rows are counted once (1 left out).",)


def test_a_seed_twice_with_different_scores_is_rejected(tmp_path, rows):
    pd.concat([rows, rows.iloc[[3]].assign(normalized_score=1.0)]).to_parquet(tmp_path / "log.parquet")
    message = rejected(tmp_path / "log.parquet")
    assert "td3_bc on pendulum-medium-v0, seed 0 appears twice with different scores" in message
    assert "step 2000" in message


def test_two_runs_that_are_each_there_twice_are_rejected(tmp_path, rows):
    other = rows.assign(normalized_score=rows["normalized_score"] + 10)
    pd.concat([rows, other, rows, other]).to_parquet(tmp_path / "log.parquet")
    assert "appears twice with different scores" in rejected(tmp_path / "log.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("without", [None, []])
@pytest.mark.parametrize("column", ["algorithm", "dataset"])
def test_episode_returns_of_some_rows_are_used(tmp_path, rows, suffix, without, column):
    """Of one algorithm, or on one dataset."""
    some = rows[column] == rows[column].iloc[0]
    lists = [
        [*map(float, each)] if keep else without
        for each, keep in zip(rows["episode_returns"], some, strict=True)
    ]
    theirs, path = rows.assign(episode_returns=lists), tmp_path / f"log{suffix}"
    theirs.to_csv(path, index=False) if suffix == ".csv" else theirs.to_parquet(path, index=False)
    results = reading.load(path)
    assert captions.episodes(results) == "10"
    assert {pair[column == "dataset"] for pair in worst_episodes(results)} == {rows[column].iloc[0]}
    material = Material(results, behaviour_returns={name: np.arange(9.0) for name in results.datasets})
    for name in ("worst-episode", "returns"):
        assert draw(name, material).caption


def test_two_intervals_of_evaluation_are_rejected(tmp_path, rows):
    odd = (rows["algorithm"] == "bc") & (rows["step"] % 1_000 != 0)
    rows[~odd].to_parquet(tmp_path / "log.parquet")
    message = rejected(tmp_path / "log.parquet")
    assert "two protocols" in message
    assert "bc" in message
    assert "td3_bc" in message


def test_two_numbers_of_episodes_are_rejected(tmp_path, rows):
    rows["episode_returns"] = [
        returns[:5] if algorithm == "bc" else returns
        for algorithm, returns in zip(rows["algorithm"], rows["episode_returns"], strict=True)
    ]
    rows.drop(columns="return_mean").to_parquet(tmp_path / "log.parquet")
    assert "evaluated over 5 and 10 episodes" in rejected(tmp_path / "log.parquet")


@pytest.mark.parametrize("column", ["algorithm", "dataset", "seed", "step"])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path, rows, column):
    rows.drop(columns=column).to_parquet(tmp_path / "log.parquet")
    message = rejected(tmp_path / "log.parquet")
    assert f"column {column} missing" in message
    assert "return_std" in message


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("return,return_mean", "1,5", "columns return and return_mean mean the same"),
        ("return", "x", "column return holds 'x' in row 1, which is not a number"),
    ],
)
def test_contradictory_records_are_rejected(tmp_path, header, row, words):
    path = tmp_path / "log.csv"
    path.write_text(f"algorithm,dataset,seed,step,{header}\na,x,0,10,{row}\n")
    assert words in rejected(path)


def test_a_step_above_all_whole_numbers_is_rejected(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("algorithm,dataset,seed,step,return\na,x,0,1e30,1\n")
    assert "column step holds " in rejected(path)


@pytest.mark.parametrize(
    ("separator", "words"), [(";", "separated by semicolons; write commas"), ("\t", "separated by tabs")]
)
def test_other_separators_get_a_hint(tmp_path, separator, words):
    path = tmp_path / "log.csv"
    path.write_text("algorithm,dataset,seed,step,return\na,x,0,10,1\n".replace(",", separator))
    assert words in rejected(path)


def test_capital_letters_in_names_of_columns_get_a_hint(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("Algorithm, dataset,Seed,Step,return\na,x,0,10,1\n")
    assert "in lower case, without spaces" in rejected(path)


def test_names_in_csv_lose_only_the_spaces_around_them(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("algorithm,dataset,seed,step,return\nNA,x,0,10,1\nNone ,x,0,10,1\nNone,x,1,10,1\n")
    results = reading.load(path)
    assert results.algorithms == ["NA", "None"]
    path.write_text("algorithm,dataset,seed,step,return\na,x,0,10,1\n ,x,0,10,1\n")
    assert "column algorithm is empty in row 2" in rejected(path)


def test_names_in_parquet_lose_spaces_too(tmp_path, rows):
    rows["algorithm"] = [
        f"{name} " if seed else name for name, seed in zip(rows["algorithm"], rows["seed"], strict=True)
    ]
    rows.to_parquet(tmp_path / "log.parquet")
    assert set(reading.load(tmp_path / "log.parquet").algorithms) == {"td3_bc", "bc"}


def test_a_file_without_columns_of_scores_is_rejected(tmp_path, rows):
    rows[["algorithm", "dataset", "seed", "step"]].to_csv(tmp_path / "log.csv", index=False)
    assert "no scores" in rejected(tmp_path / "log.csv")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("seed", "zero", "column seed holds 'zero' in row 3, which is not a number"),
        ("step", 1.5, "column step holds 1.5 in row 3, not a whole number"),
        ("normalized_score", "high", "column normalized_score holds 'high' in row 3"),
        ("dataset", None, "column dataset is empty in row 3"),
    ],
)
def test_a_value_that_is_not_a_number_is_named_with_its_row(tmp_path, rows, column, value, words):
    rows = rows.drop(columns="episode_returns").astype({column: object})
    rows.loc[rows.index[2], column] = value
    rows.to_csv(tmp_path / "log.csv", index=False)
    assert words in rejected(tmp_path / "log.csv")


def test_nan_scores_stay_nan(tmp_path, rows):
    rows.loc[rows["seed"] == 1, ["normalized_score", "return_mean"]] = np.nan
    rows.drop(columns="episode_returns").to_csv(tmp_path / "log.csv", index=False)
    scores = reading.load(tmp_path / "log.csv").scores
    assert scores.loc[scores["seed"] == 1, "final"].isna().all()
    assert scores.loc[scores["seed"] == 0, "final"].notna().all()


def test_an_infinite_score_becomes_nan(tmp_path, rows):
    rows.loc[rows["seed"] == 1, "normalized_score"] = np.inf
    rows.to_parquet(tmp_path / "log.parquet")
    scores = reading.load(tmp_path / "log.parquet").scores
    assert scores.loc[scores["seed"] == 1, "final"].isna().all()


def test_rows_in_any_order_are_sorted(tmp_path, rows):
    rows.sample(frac=1, random_state=0).to_parquet(tmp_path / "log.parquet")
    frame = reading.load(tmp_path / "log.parquet").frame
    assert frame.index.tolist() == list(range(len(rows)))
    of_trial = frame.groupby(["algorithm", "dataset", "seed"], observed=True)["step"]
    assert of_trial.is_monotonic_increasing.all()


def test_a_missing_file_is_rejected(tmp_path):
    assert "no such results" in rejected(tmp_path / "nothing")


def test_a_run_without_results_is_rejected(tmp_path, small, rows):
    (tmp_path / "empty").mkdir()
    assert "no results yet" in rejected(tmp_path / "empty")
    directory = synthetic.write(tmp_path / "begun", small, rows)
    (directory / "evaluations.parquet").unlink()
    assert "none of 8 trials is finished" in rejected(directory)
    rows.iloc[:0].to_parquet(tmp_path / "none.parquet")
    assert "no results yet" in rejected(tmp_path / "none.parquet")


def test_a_damaged_parquet_is_rejected(tmp_path, small):
    directory = synthetic.write(tmp_path / "run", small)
    whole = (directory / "evaluations.parquet").read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"PAR1" + bytes(64)):
        (directory / "evaluations.parquet").write_bytes(damaged)
        assert "damaged" in rejected(directory)
    assert rejected(directory).endswith("; it can only be rebuilt from trials, and the directory has none")


def test_a_parquet_that_declares_more_rows_than_it_can_contain_is_rejected_unread(tmp_path, monkeypatch):
    pq.write_table(pa.table({"x": np.zeros(2_000_000, np.int8)}), tmp_path / "bomb.parquet")
    monkeypatch.setattr(pq, "read_table", pytest.fail)
    assert "declares 2,000,000 rows, more than" in rejected(tmp_path / "bomb.parquet")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b'a,b\n"1'])
def test_a_damaged_csv_is_rejected(tmp_path, content):
    (tmp_path / "log.csv").write_bytes(content)
    rejected(tmp_path / "log.csv")


def test_a_damaged_manifest_or_experiment_is_rejected(tmp_path, small):
    directory = synthetic.write(tmp_path / "run", small)
    (directory / "manifest.json").write_text("{")
    with pytest.raises(HarnessError, match=r"manifest\.json"):
        reading.load(directory)
    (directory / "manifest.json").write_text("{}")
    (directory / "experiment.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(HarnessError, match=r"experiment\.yaml"):
        reading.load(directory)


def test_an_experiment_that_was_edited_since_it_ran_is_rejected(tmp_path, small):
    directory = synthetic.write(tmp_path / "run", small)
    RunDirectory.load(open_store(directory)).save()
    assert reading.load(directory).experiment == small
    file = directory / "experiment.yaml"
    file.write_text(file.read_text().replace("episodes: 10", "episodes: 50"))
    assert "has changed since the last run" in rejected(directory)


def test_another_kind_of_file_is_rejected(tmp_path):
    (tmp_path / "log.txt").write_text("x")
    assert ".csv or a .parquet" in rejected(tmp_path / "log.txt")


def test_a_results_directory_in_an_object_store_is_read(small, rows):
    import fsspec

    filesystem = fsspec.filesystem("memory")
    table = synthetic.evaluations(small)
    import io

    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    filesystem.pipe_file("/bucket/run/evaluations.parquet", buffer.getvalue())
    results = reading.load("memory://bucket/run")
    assert len(results.finished) == 8


def test_finished_trials_show_while_the_run_continues(tmp_path, small, rows):
    store = open_store(tmp_path / "run")
    stored = RunDirectory.prepare(store, small, [])
    stored.save()
    trial = small.trials()[0]
    of_trial = rows[(rows["algorithm"] == trial.algorithm) & (rows["seed"] == trial.seed)]
    of_trial = of_trial[of_trial["dataset"] == trial.dataset.name].drop(
        columns=["algorithm", "dataset", "seed"]
    )
    evaluations = of_trial.assign(episode_returns=of_trial["episode_returns"].map(list)).to_dict("records")
    record = stored.record(trial)
    record.claim(driver=1, step=0)
    record.commit_result({**result(trial), "rows": evaluations})
    results = reading.load(tmp_path / "run")
    assert len(results.finished) == 1
    assert len(results.missing) == 7
    assert results.finished["last"].item() == pytest.approx(of_trial["normalized_score"].iloc[-1])


def test_a_csv_with_deeply_nested_lists_is_rejected(tmp_path, rows):
    rows.assign(episode_returns="[" * 100_000).iloc[:2].to_csv(tmp_path / "log.csv", index=False)
    assert "must be lists such as" in rejected(tmp_path / "log.csv")


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "log.csv")
    assert "no such results directory, CSV or parquet file" in rejected(tmp_path / "log.csv")
