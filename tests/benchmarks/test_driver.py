from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from tests.benchmarks import driver
from tests.storage.make import experiment
from tests.tuning.undisturbed import complete


def test_work_completes_a_trial(tmp_path, monkeypatch):
    monkeypatch.setenv(driver.WORK_SECONDS, "0.01")
    store = open_store(tmp_path)
    results = RunDirectory.prepare(store, experiment(training={"gradient_steps": 1}), [])
    (trial,) = results.requested_trials()[:1]
    complete(trial, store.target, "tests.benchmarks.driver:Work")
    (row,) = results.finished([trial])[trial.key]["rows"]
    assert row["train_seconds"] >= 0.01
