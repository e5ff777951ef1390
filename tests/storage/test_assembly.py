from __future__ import annotations

import io
import math

import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.storage import manifest
from harness.storage.assembly import assemble, evaluations_table
from harness.storage.progress import scan
from harness.storage.stores import Store, open_store
from harness.training.evaluation import Evaluation
from tests.storage.make import finish, prepared, result, rows


@pytest.fixture
def memory() -> Store:
    import uuid

    return open_store(f"memory://{uuid.uuid4().hex}/results")


def assembled(store: Store, order: list[int]) -> tuple[bytes, bytes]:
    results = prepared(store)
    trials = results.requested_trials()
    for number in order:
        finish(results, trials[number])
    assemble(results)
    return store.read("evaluations.parquet") or b"", store.read("scores.csv") or b""


def test_assemble_in_any_order_of_finishing_writes_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    first = assembled(open_store(tmp_path_factory.mktemp("a")), [0, 1, 2, 3])
    second = assembled(open_store(tmp_path_factory.mktemp("b")), [3, 1, 0, 2])
    assert first == second


def test_assemble_writes_one_row_per_evaluation_in_the_experiments_order(memory: Store) -> None:
    parquet, csv = assembled(memory, [2, 0])
    frame = pd.read_parquet(io.BytesIO(parquet))
    assert frame[["algorithm", "seed", "step"]].to_numpy().tolist() == [
        ["td3_bc", 0, 500],
        ["td3_bc", 0, 1000],
        ["td3_bc", 1, 500],
        ["td3_bc", 1, 1000],
    ]
    assert list(frame.columns) == [
        *("algorithm", "dataset", "seed", "step", "return_mean", "return_std", "normalized_score"),
        *("episode_returns", "train_seconds", "evaluation_seconds", "non_finite"),
        *("actor_loss", "q1"),
    ]
    scores = pd.read_csv(io.BytesIO(csv))
    assert scores["final"].tolist() == [7.5, 7.5]
    assert scores["last_return"].tolist() == [1000 / 7, 1000 / 7 + 1]


def test_evaluations_table_omits_metrics_that_no_algorithm_reports() -> None:
    results = prepared(open_store("memory://metrics/results"))
    bc = next(trial for trial in results.requested_trials() if trial.algorithm == "bc")
    table = evaluations_table(
        [bc], {bc.key: {"rows": [{**rows(bc)[0], "entropy": 2.0, "return_mean": None}]}}
    )
    row = table.to_pylist()[0]
    assert "q1" not in row
    assert row["actor_loss"] == -0.25
    assert row["entropy"] == 2.0
    assert row["return_mean"] is None


def test_parquet_floats_are_bit_exact(memory: Store) -> None:
    parquet, _ = assembled(memory, [0])
    assert pd.read_parquet(io.BytesIO(parquet))["q1"].tolist() == [1 / 3, 1 / 3]


def test_manifest_has_the_digests_of_assembled_files(memory: Store) -> None:
    for name, data in zip(("evaluations.parquet", "scores.csv"), assembled(memory, [0]), strict=True):
        content = manifest.read(memory)
        manifest.require_intact(content, memory, name, data)
        with pytest.raises(HarnessError, match=f"{name} is damaged"):
            manifest.require_intact(content, memory, name, data + b"\n")


def test_non_finite_metrics_are_kept_and_named(memory: Store) -> None:
    results = prepared(memory)
    trial = results.requested_trials()[0]
    metrics = {"actor_loss": 1.0, "critic_loss": math.inf, "q1": math.nan, "q2": -math.inf}
    evaluation = Evaluation(500, 1.0, 0.0, 1.0, (1.0,), 0.0, 0.0, metrics)
    record = results.record(trial)
    record.claim(1, 0)
    record.commit_result({**result(trial), "rows": [evaluation.to_row()]})
    finished = assemble(results)
    row = evaluations_table([trial], finished).to_pylist()[0]
    assert row["non_finite"] == "critic_loss, q1, q2"
    assert (row["actor_loss"], row["critic_loss"], row["q2"]) == (1.0, math.inf, -math.inf)
    assert math.isnan(row["q1"])
    scores = pd.read_csv(io.BytesIO(memory.read("scores.csv") or b""))
    assert scores["diverged"].tolist() == [500]
    assert scan(results).by_key[trial.key].diverged == "critic_loss, q1, q2 not finite from step 500"
