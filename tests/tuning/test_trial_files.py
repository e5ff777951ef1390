from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from harness.storage.stores import open_store
from harness.storage.trial_record import TrialRecord
from harness.tuning.trial_files import TrialFiles
from tests.tuning.test_trackers import TRIAL

ROW = {
    "step": 100,
    "return_mean": -3.0,
    "return_std": 1.0,
    "normalized_score": None,
    "episode_returns": [-2.0, -4.0],
    "train_seconds": 0.5,
    "evaluation_seconds": 0.5,
    "non_finite": None,
    "q1": 2.0,
}


def record(folder: Path) -> TrialRecord:
    return TrialRecord(open_store(folder), TRIAL)


def curves(files: TrialFiles, folder: Path) -> EventAccumulator:
    files.close()
    return EventAccumulator(str(folder / "trials" / TRIAL.key)).Reload()


@pytest.mark.parametrize("name", ["log_std", "update_seconds", "critic/loss", "count"])
def test_add_to_curves_writes_every_metric(tmp_path: Path, name: str) -> None:
    files = TrialFiles(record(tmp_path))
    files.begin_curves([])
    files.add_to_curves({**ROW, name: 7})
    shown = curves(files, tmp_path)
    assert set(shown.Tags()["scalars"]) == {"return", "Q1", name}
    assert [(event.step, event.value) for event in shown.Scalars(name)] == [(100, 7.0)]


def test_add_to_curves_writes_non_finite_metrics(tmp_path: Path) -> None:
    files = TrialFiles(record(tmp_path))
    files.begin_curves([{**ROW, "critic_loss": math.nan}])
    (event,) = curves(files, tmp_path).Scalars("critic_loss")
    assert math.isnan(event.value)


def test_captured_output_is_written_to_the_log_until_it_is_closed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = TrialFiles(record(tmp_path), capture=True)
    os.write(1, b"from the environment\n")
    files.say("step 100")
    files.close()
    os.write(1, b"afterwards\n")
    log = (tmp_path / "trials" / TRIAL.key / "log.txt").read_text()
    assert "from the environment\n" in log
    assert "step 100" in log
    assert capfd.readouterr().out == "afterwards\n"


def test_publish_writes_the_files_to_an_object_store(tmp_path: Path) -> None:
    store = open_store(f"memory://{tmp_path.name}")
    for line in ("first", "second"):
        files = TrialFiles(TrialRecord(store, TRIAL))
        files.say(line)
        files.begin_curves([ROW])
        files.publish()
        files.close()
    log = (store.read(f"trials/{TRIAL.key}/log.txt") or b"").decode()
    assert [line.split()[-1] for line in log.splitlines()] == ["first", "second"]
    assert store.read(f"trials/{TRIAL.key}/events.out.tfevents.0.trial")
