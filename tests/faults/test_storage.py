"""Tests of damaged files and full disks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.sweep import Sweep, kill, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(900)]
Tables = tuple[bytes, str]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], flip, lambda data: b""])
def test_damaged_records_are_not_used(sweep: Sweep, undisturbed: Tables, damage) -> None:
    """Damages the newest checkpoint of every trial, every result and every owner."""
    driver = sweep.start()
    wait_until(lambda: sweep.files("trials/*/result.json"), driver)
    wait_until(lambda: unfinished_with_checkpoints(sweep), driver)
    kill(driver.pid)
    sweep.end(driver)
    newest = {path.parent: path for path in sweep.files("trials/*/checkpoint-*")}
    damaged = [*newest.values(), *sweep.files("trials/*/result.json"), *sweep.files("trials/*/owner.json")]
    for path in damaged:
        path.write_bytes(damage(path.read_bytes()))
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_damaged_tables_are_rebuilt_from_the_trials(sweep: Sweep, undisturbed: Tables) -> None:
    sweep.finish(sweep.start())
    for name in ("evaluations.parquet", "scores.csv"):
        path = Path(sweep.target) / name
        path.write_bytes(flip(path.read_bytes()))
    assert "evaluations.parquet is damaged" in sweep.finish(sweep.start("table", sweep.target))
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed
    assert "damaged" not in sweep.finish(sweep.start("table", sweep.target))


def unfinished_with_checkpoints(sweep: Sweep) -> list[Path]:
    checkpoints = sweep.files("trials/*/checkpoint-*")
    return [path for path in checkpoints if not path.with_name("result.json").exists()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_disk_full_while_checkpoints_and_results_are_written_loses_nothing(
    tmp_path: Path, small_disk: Path, undisturbed: Tables
) -> None:
    sweep = Sweep(tmp_path / "sweep", target=str(small_disk / "results"))
    sweep.environment["HARNESS_TEST_CHECKPOINT_MIB"] = "1"
    status, output = sweep.end(sweep.start())
    assert status == 2, output
    assert "cannot write" in output
    assert "No space left on device" in output
    assert not [path for path in sweep.files("**/*") if path.name.endswith(".tmp")]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_disk_full_at_the_last_table_loses_nothing(
    tmp_path: Path, small_disk: Path, undisturbed: Tables
) -> None:
    sweep = Sweep(tmp_path / "sweep", target=str(small_disk / "results"))
    driver = sweep.start()
    wait_until(lambda: len(sweep.files("trials/*/result.json")) == 3, driver)
    filler = small_disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1k"], capture_output=True, check=False)
    status, output = sweep.end(driver)
    assert status != 0, output
    assert "No space left on device" in output
    filler.unlink()
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed
