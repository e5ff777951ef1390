"""The line that is printed when a run's process ends without printing one itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.sweep import ROOT, wait_until

RUN = """
import os, signal, sys
from pathlib import Path
from harness.tuning.watchdog import Watchdog
with Watchdog("Resume with: harness resume DIR", Path(sys.argv[1]), bool(sys.argv[2])) as watchdog:
    {}
"""
SUDDEN = "the process was stopped abruptly, by a second signal, by the system, or by Ray"
REPORTED = "watchdog.report('Ray is gone'); os._exit(1)"


@pytest.mark.parametrize(
    ("end", "has_logs", "printed", "kept"),
    [
        ("pass", True, "", True),
        ("sys.exit(1)", True, "", True),
        ("os._exit(1)", True, SUDDEN, False),
        ("os.kill(os.getpid(), signal.SIGKILL)", True, SUDDEN, False),
        ("os.killpg(0, signal.SIGTERM)", True, SUDDEN, False),
        (REPORTED, True, "Ray is gone (Ray's logs are in FOLDER)", True),
        (REPORTED, False, "Ray is gone", False),
    ],
)
def test_watchdog_prints_only_if_the_process_ends_within_the_block(
    tmp_path: Path, end: str, has_logs: bool, printed: str, kept: bool
) -> None:
    folder = tmp_path / "ray-folder"
    folder.mkdir()
    process = subprocess.run(
        [sys.executable, "-c", RUN.format(end), str(folder), "logs" if has_logs else ""],
        cwd=ROOT,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    line = f"harness: error: {printed}. Resume with: harness resume DIR\n" if printed else ""
    assert process.stderr == line.replace("FOLDER", str(folder))
    if kept:
        assert folder.exists()
    else:
        wait_until(lambda: not folder.exists())
