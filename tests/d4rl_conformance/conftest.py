import os
import subprocess
from pathlib import Path

import pytest

from harness.bench import d4rl_oracle


@pytest.fixture(scope="session")
def d4rl():
    """Calls d4rl itself, in the Python that $HARNESS_D4RL_PYTHON names (`make test-d4rl` sets it)."""
    python = os.environ.get("HARNESS_D4RL_PYTHON")
    if not python:
        pytest.skip("needs d4rl in an environment of its own: make test-d4rl")

    def call(*arguments):
        command = [str(Path(python).absolute()), d4rl_oracle.__file__, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call
