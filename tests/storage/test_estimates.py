"""Tests of estimates: existing, missing and damaged ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.storage import assembly, estimates
from harness.storage.progress import scan
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import DirectoryStore
from tests.storage.make import experiment, finish, prepared

SELECTION = {"gradient_steps": 10}


def results_with_policies(tmp_path: Path, without: int = 0) -> RunDirectory:
    """Finish all trials except the last; the first `without` of them have no policy."""
    results = prepared(DirectoryStore(str(tmp_path)), selection=SELECTION)
    for index, trial in enumerate(results.requested_trials()[:-1]):
        finish(results, trial)
        if index >= without:
            results.store.write(results.record(trial).name("policy.npz"), b"")
    return results


def estimate(results: RunDirectory, index: int, value: float = 1.5) -> None:
    record = results.record(results.requested_trials()[index])
    settings = results.experiment.selection
    assert settings is not None
    content: estimates.Estimate = {"trial": record.digest, "value": value, "td_error": 0.5, "seconds": 1.0}
    estimates.commit(record, settings, content)


def test_scan_counts_finished_trials_with_and_without_an_estimate(tmp_path: Path) -> None:
    results = results_with_policies(tmp_path, without=1)
    estimate(results, 1)
    found = estimates.scan(results, results.requested_trials())
    assert found is not None
    trials = results.requested_trials()
    assert (found.method, found.done) == ("fqe", 1)
    assert found.missing == [trials[2]]
    assert found.without_policy == [trials[0]]
    assert scan(results).selection == found


def test_scan_of_an_experiment_without_selection_finds_none(tmp_path: Path) -> None:
    results = prepared(DirectoryStore(str(tmp_path)))
    assert estimates.scan(results, results.requested_trials()) is None
    assert estimates.read_all(results, results.requested_trials()) == {}


def test_estimates_of_other_settings_do_not_count_and_are_kept(tmp_path: Path) -> None:
    results = results_with_policies(tmp_path)
    estimate(results, 0)
    changed = experiment(selection={"gradient_steps": 20})
    other = RunDirectory.prepare(results.store, changed, [])
    assert other.experiment.selection == changed.selection
    assert estimates.read_all(other, other.requested_trials()) == {}
    again = RunDirectory.prepare(results.store, results.experiment, [])
    assert len(estimates.read_all(again, again.requested_trials())) == 1


def test_discard_damaged_removes_unreadable_estimates(tmp_path: Path) -> None:
    results = results_with_policies(tmp_path)
    for index in (0, 1):
        estimate(results, index)
    settings = results.experiment.selection
    assert settings is not None
    trials = results.requested_trials()
    results.store.write(results.record(trials[0]).name(estimates.file_name(settings)), b"{}")
    estimates.discard_damaged(results, trials)
    found = estimates.scan(results, trials)
    assert found is not None
    assert found.missing == [trials[0], trials[2]]


def test_assemble_writes_one_row_per_estimate(tmp_path: Path) -> None:
    results = results_with_policies(tmp_path)
    estimate(results, 0)
    estimate(results, 2, float("nan"))
    assembly.assemble(results)
    table = pd.read_csv(tmp_path / "offline_estimates.csv")
    assert list(table) == ["algorithm", "dataset", "seed", "fqe", "td_error"]
    assert table["fqe"].isna().tolist() == [False, True]
    assert "offline_estimates.csv" in results.manifest["files"]


@pytest.mark.parametrize("kept", ["none", "best"])
def test_selection_without_final_policies_is_rejected(kept: str) -> None:
    with pytest.raises(
        (HarnessError, ValueError), match=f"save_policy: {kept} does not save; set it to final"
    ):
        experiment(selection={}, training={"gradient_steps": 10, "save_policy": kept})


def test_progress_is_complete_only_with_every_estimate(tmp_path: Path) -> None:
    results = results_with_policies(tmp_path)
    last = results.requested_trials()[-1]
    finish(results, last)
    results.store.write(results.record(last).name("policy.npz"), b"")
    for index in range(3):
        estimate(results, index)
    assert not scan(results).complete
    estimate(results, 3)
    assert scan(results).complete
