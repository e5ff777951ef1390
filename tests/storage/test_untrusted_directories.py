"""Results directories from untrusted sources: links, pipes, and files of unexpected types."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.reporting import reading
from harness.storage import checksummed_json
from harness.storage.assembly import assemble
from harness.storage.lease import Lease
from harness.storage.progress import scan
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import StorageError, open_store
from harness.tuning.trial_files import TrialFiles
from tests.storage.make import finish, prepared, result

DEEP = b"[" * 10_000


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return prepared(open_store(tmp_path / "run"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / ".mine.tmp").write_text("mine")
    (folder / "mine.txt").write_text("mine")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("link", ["trials", "trials/td3_bc--pendulum-expert-v0--0", ".drivers"])
def test_links_that_point_outside_are_not_followed(
    run: RunDirectory, tmp_path: Path, outside: Path, link: str
) -> None:
    before, path = contents(outside), tmp_path / "run" / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(outside)
    write = Lease.acquire if link == ".drivers" else lambda _: finish(run, run.requested_trials()[0])
    with pytest.raises(StorageError, match="a link there points outside"):
        write(run.store)
    name = f"{link}/td3_bc--pendulum-expert-v0--0" if link == "trials" else link
    for action in (run.store.remove, run.store.tidy, run.store.path):
        with pytest.raises(StorageError, match="a link there points outside"):
            action(f"{name}/mine.txt")
    assert contents(outside) == before


def test_links_in_place_of_files_are_replaced_or_rejected(
    run: RunDirectory, tmp_path: Path, outside: Path
) -> None:
    before, target = contents(outside), outside / "mine.txt"
    (tmp_path / "run" / "scores.csv").symlink_to(target)
    trial = run.requested_trials()[0]
    finish(run, trial)
    (tmp_path / "run" / "trials" / trial.key / "log.txt").symlink_to(target)
    assemble(run)
    with pytest.raises(StorageError, match=r"log.txt \(a link, or not a regular file\)"):
        TrialFiles(run.record(trial))
    assert contents(outside) == before
    assert (tmp_path / "run" / "scores.csv").read_text().startswith("algorithm,")


def test_link_to_the_results_directory_is_followed(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "run").symlink_to(outside)
    store = open_store(tmp_path / "run")
    store.write("trials/x/result.json", b"1")
    assert (outside / "trials" / "x" / "result.json").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["experiment.yaml", "manifest.json", "evaluations.parquet"])
@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_load_of_pipes_and_devices_raises(run: RunDirectory, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / "run" / name
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(StorageError, match=rf"cannot read {name} \(not a regular file\)"):
        reading.load(tmp_path / "run")


@pytest.mark.parametrize("name", ["result.json", "error.json", "progress.json"])
def test_scan_with_a_pipe_among_the_files_of_a_trial_raises(
    run: RunDirectory, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "run" / run.record(run.requested_trials()[0]).name(name)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(StorageError, match=rf"cannot read .*{name} \(not a regular file\)"):
        scan(run)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another variant": ({"algorithm": "bc"}, "algorithm is 'bc', expected 'td3_bc'"),
    "another dataset": ({"dataset": "hopper-medium-v2"}, "dataset is 'hopper-medium-v2', expected "),
    "another seed": ({"seed": 7}, "seed is 7, expected 0"),
    "no rows": ({"rows": None}, "rows: Input should be a valid list"),
    "rows of another shape": ({"rows": [500]}, r"rows.0: Input should be a valid dict"),
    "rows of another seed": ({"rows": [{"step": 500, "seed": 7}]}, "seed is 7, expected 0"),
    "a row without a step": ({"rows": [{"q1": 1.0}]}, "rows.0: .*step is not a whole number"),
    "text for a number": ({"rows": [{"step": 500, "q1": "high"}]}, "rows.0: .*could not convert string"),
    "a list for a number": ({"rows": [{"step": 500, "q1": [1.0]}]}, "rows.0: .*is not a number"),
    "a number for text": ({"rows": [{"step": 500, "non_finite": 1.0}]}, "rows.0: .*1.0 is not text"),
    "a dict for numbers": ({"rows": [{"step": 500, "episode_returns": {}}]}, "rows.0: .*is not numbers"),
    "lists in numbers": ({"rows": [{"step": 500, "episode_returns": [[]]}]}, "rows.0: .*is not a number"),
    "a number too large": ({"rows": [{"step": 10**30}]}, "rows.0: .*is not a number"),
}


@pytest.mark.parametrize(("changes", "reason"), WRONG.values(), ids=WRONG)
def test_result_of_another_trial_raises(
    run: RunDirectory, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    trial = run.requested_trials()[0]
    record = run.record(trial)
    content = {**result(trial), **changes, "trial": trial.digest}
    run.store.write(record.name("result.json"), checksummed_json.dumps(content))
    for look in (scan, lambda run: run.finished([trial]), lambda run: reading.load(run.store.target)):
        with pytest.raises(HarnessError, match=rf"result.json is not the result of this trial \({reason}"):
            look(run)


SHAPES = [DEEP, b"[]", b"3", b'{"step": []}', b'{"driver": "x", "step": 1, "token": 3, "pid": -1}']


@pytest.mark.parametrize("name", ["result.json", "error.json", "owner.json", "progress.json"])
@pytest.mark.parametrize("content", SHAPES, ids=range(len(SHAPES)))
def test_checksummed_files_of_another_type_count_as_damaged(
    run: RunDirectory, name: str, content: bytes
) -> None:
    trial = run.requested_trials()[0]
    data = checksummed_json._with_checksum(content)
    run.store.write(run.record(trial).name(name), data)
    assert scan(run).by_key[trial.key].step == 0
    finish(run, trial)
    assert list(run.finished([trial])) == [trial.key]


@pytest.mark.parametrize("content", [*SHAPES, json.dumps({"pid": 1, "started": 1e300}).encode()])
def test_acquire_with_a_lease_file_of_another_type_succeeds(run: RunDirectory, content: bytes) -> None:
    run.store.write(".drivers/000003.json", checksummed_json._with_checksum(content))
    run.store.write(".drivers/²³.json", b"")
    assert scan(run).driver is None
    lease = Lease.acquire(run.store)
    assert lease.number == 4
    lease.release()


@pytest.mark.parametrize("name", ["experiment.yaml", "manifest.json"])
def test_load_of_deeply_nested_files_raises_one_line(run: RunDirectory, name: str) -> None:
    run.store.write(name, DEEP)
    with pytest.raises(HarnessError, match=name):
        RunDirectory.load(run.store)
