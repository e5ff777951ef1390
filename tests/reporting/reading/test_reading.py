"""Results directories whose assembled files were damaged."""

import math
import random
import shutil
from contextlib import suppress

import pandas as pd
import pytest

from harness.errors import HarnessError, HarnessWarning
from harness.reporting import captions, reading
from harness.reporting.report import report
from harness.reporting.tables import make_table
from harness.storage.assembly import assemble
from harness.storage.stores import open_store
from tests.storage.make import finish, prepared, result

FLIPS = 20


@pytest.fixture
def run(tmp_path):
    """A finished run of four trials, with its assembled files."""
    run = prepared(open_store(tmp_path / "run"))
    for trial in run.requested_trials():
        finish(run, trial)
    assemble(run)
    return run


def flipped(data, number):
    """The data with one bit of it changed, another one for each number."""
    place = random.Random(number).randrange(8 * len(data))
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def test_every_flipped_bit_is_noticed_and_the_trials_are_read_instead(run, tmp_path):
    intact, before = run.store.read("evaluations.parquet"), reading.load(tmp_path / "run").frame
    for number in range(FLIPS):
        run.store.write("evaluations.parquet", flipped(intact, number))
        with pytest.warns(HarnessWarning, match=r"evaluations.parquet is damaged: its SHA-256 .* 4 finished"):
            after = reading.load(tmp_path / "run").frame
        pd.testing.assert_frame_equal(
            after.drop(columns="episode_returns"), before.drop(columns="episode_returns")
        )
        assert after["episode_returns"].tolist() == before["episode_returns"].tolist()


@pytest.mark.parametrize("name", ["run", "run/evaluations.parquet"])
def test_every_flipped_bit_is_rejected_where_the_trials_are_gone(run, tmp_path, name):
    shutil.rmtree(tmp_path / "run" / "trials")
    intact = run.store.read("evaluations.parquet")
    assert len(reading.load(tmp_path / name).frame) == 8
    for number in range(FLIPS):
        run.store.write("evaluations.parquet", flipped(intact, number))
        with pytest.raises(HarnessError, match=r"evaluations.parquet is damaged: its SHA-256"):
            reading.load(tmp_path / name)


def test_most_flipped_bits_are_rejected_in_a_copy_of_the_file_alone(run, tmp_path):
    """By the checksums of its pages, which do not cover their headers and the footer."""
    intact, path = run.store.read("evaluations.parquet"), tmp_path / "copy.parquet"
    path.write_bytes(intact)
    before, wrong = reading.load(path).scores, 0
    for number in range(FLIPS):
        path.write_bytes(flipped(intact, number))
        with suppress(HarnessError):
            wrong += not reading.load(path).scores.equals(before)
    assert wrong < FLIPS / 10


def test_files_are_assembled_again_after_damage(run, tmp_path):
    intact = run.store.read("evaluations.parquet"), run.store.read("scores.csv")
    for name in ("evaluations.parquet", "scores.csv"):
        run.store.write(name, b"")
    assemble(run)
    assert (run.store.read("evaluations.parquet"), run.store.read("scores.csv")) == intact


def test_trials_that_diverged_are_named_in_tables_figures_and_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.reporting.report.page.draw_pictures", lambda material: ([], {}))
    run = prepared(open_store(tmp_path / "run"))
    diverged, *others = run.requested_trials()
    content = result(diverged)
    content["rows"][1] |= {"critic_loss": math.nan, "non_finite": "critic_loss"}
    record = run.record(diverged)
    record.claim(1, 0)
    record.commit_result(content)
    for trial in others:
        finish(run, trial)
    assemble(run)
    results = reading.load(tmp_path / "run")
    note = (
        "Training diverged in 1 of 4 trials: td3_bc on pendulum-expert-v0, seed 0 "
        "(critic_loss not finite from step 1,000)."
    )
    for name in ("scores", "statistics", "run-time", "seeds"):
        assert note in make_table(name, results, "final").notes
    assert note in captions.of_figure(results, "")
    assert "4 finished, 1 diverged" in report([results])


def test_results_of_an_algorithm_that_is_not_here_are_read_without_its_code(run, tmp_path):
    text = (tmp_path / "run" / "experiment.yaml").read_text()
    edited = text.replace("algorithm: bc\n", "algorithm: no_such_lab:Mine\n    strength: 2.0\n")
    assert edited != text
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "experiment.yaml").write_text(edited)
    shutil.copy(tmp_path / "run" / "evaluations.parquet", copy)
    results = reading.load(copy)
    assert "bc" in results.algorithms
    assert results.experiment is not None
    assert results.experiment.variants()["bc"].algorithm == "no_such_lab:Mine"
    assert make_table("scores", results, "final")
