"""Tests that the example runs as its docstring says."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "evaluate_policy.py"


@pytest.mark.slow
def test_evaluate_policy_example_runs(tmp_path):
    done = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("exactly: True")
    assert [path.name for path in tmp_path.iterdir()] == ["policy.npz"]
