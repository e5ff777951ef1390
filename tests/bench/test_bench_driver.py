from harness.bench import driver
from harness.storage.provenance import versions
from harness.storage.results import Results
from harness.storage.stores import open_store
from harness.tuning.assignment import Assignment
from harness.tuning.attempt import Attempt
from tests.storage.make import experiment


def test_its_trials_are_trials_to_an_attempt(tmp_path, monkeypatch):
    monkeypatch.setenv(driver.WORK_SECONDS, "0.01")
    store = open_store(tmp_path)
    results = Results.prepare(store, experiment(training={"gradient_steps": 1}), [])
    trial = results.trials()[0]
    attempt = Attempt(
        Assignment(
            trials=[trial],
            store=store.target,
            driver=1,
            versions=versions(),
            pack="harness.bench.driver:Work",
        )
    )
    while not attempt.advance()["done"]:
        pass
    attempt.close()
    (row,) = results.finished([trial])[trial.key]["rows"]
    assert row["train_seconds"] >= 0.01
