import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.benchmarks import d4rl_oracle
from tests.d4rl_conformance import environments_oracle


def _caller(script, variable="HARNESS_D4RL_PYTHON"):
    """Return a function that calls d4rl in the Python that a variable names (`make test-d4rl` sets it)."""
    python = os.environ.get(variable)
    if not python:
        pytest.skip("needs d4rl in an environment of its own: make test-d4rl")

    def call(*arguments):
        command = [str(Path(python).absolute()), script.__file__, *map(str, arguments)]
        with TemporaryDirectory() as folder:  # d4rl leaves the files of its mazes there
            environment = os.environ | {"TMPDIR": folder}
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture(scope="session")
def d4rl():
    """Return a function that calls d4rl's tables and its reader."""
    return _caller(d4rl_oracle)


@pytest.fixture(scope="session")
def d4rl_environments():
    """Return a function that calls d4rl's environments."""
    return _caller(environments_oracle)


@pytest.fixture(scope="session")
def d4rl_environments_on_mujoco_2():
    """Return a function that calls d4rl's environments on MuJoCo 2.3.7."""
    return _caller(environments_oracle, "HARNESS_D4RL_MUJOCO2_PYTHON")
