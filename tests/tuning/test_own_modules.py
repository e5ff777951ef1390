"""Tests of a task and an algorithm in modules next to the experiment file, on this machine and a cluster."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.sweep import ROOT, Sweep, cluster

TASK = """
import gymnasium
from gymnasium.envs.classic_control import PendulumEnv
from helper import STEPS

gymnasium.register("Own-v0", PendulumEnv, max_episode_steps=STEPS)
"""

ALGORITHM = """
from torch import nn
from harness.algorithms import AutogradLearner, Hyperparameters
from harness.algorithms.modules import MLP

class Mine(AutogradLearner[Hyperparameters]):
    fields = ("state", "action")

    def networks(self, observation_size, action_size):
        return {"actor": nn.Sequential(MLP(observation_size, 8, action_size), nn.Tanh())}

    def update(self, batch):
        loss = (self.actor(batch.state) - batch.action).pow(2).mean(-1)
        self.minimize("actor", loss)
        return {"actor_loss": loss.mean(-1)}
"""


class OwnSweep(Sweep):
    """A sweep that is started in a folder with a file named like an installed package."""

    def __init__(self, folder: Path) -> None:
        dataset = {"name": "pendulum-expert-v0", "environment": "own_task:Own-v0"}
        super().__init__(
            folder / "lab",
            real=True,
            datasets=[dataset],
            algorithms={"mine": {"algorithm": "own_algorithm:Mine"}},
            training={"gradient_steps": 20},
            evaluation={"interval": 10, "episodes": 2},
            resources={"evaluators": 1},
        )
        (self.folder / "own_task.py").write_text(TASK)
        (self.folder / "own_algorithm.py").write_text(ALGORITHM)
        (self.folder / "helper.py").write_text("STEPS = 10\n")
        self.current = folder / "current"
        self.current.mkdir()
        (self.current / "tensorboardX.py").write_text("raise SystemError('not the library')\n")

    def run(self, *more: str) -> str:
        code = f"import sys; sys.path[0] = {str(ROOT)!r}; from harness.cli import main; sys.exit(main())"
        script = self.folder / "harness.py"  # as the console script, not as `python -m` from the folder
        script.write_text(code)
        arguments = ["run", str(self.file), "--output", self.target, *more]
        return self.finish(self.launch(sys.executable, str(script), *arguments, cwd=self.current))


@pytest.mark.slow
def test_own_modules_are_used_and_the_current_folder_shadows_nothing(tmp_path: Path) -> None:
    sweep = OwnSweep(tmp_path)
    sweep.environment["TMPDIR"] = str(tmp_path / ("a-batch-systems-directory" * 4))
    Path(sweep.environment["TMPDIR"]).mkdir()
    before = set(Path("/tmp").glob("ray-*"))
    assert_all_done(sweep.run())
    assert not [folder for folder in set(Path("/tmp").glob("ray-*")) - before if holds(folder, sweep)]


def assert_all_done(output: str) -> None:
    assert "done mine on pendulum-expert-v0, seed 0" in output


def holds(folder: Path, sweep: Sweep) -> bool:
    """Return whether a folder belongs to this sweep; other tests on this machine have folders there too."""
    for root, _, files in os.walk(folder):  # unlike rglob, it accepts that folders of other runs vanish
        for name in files:
            with suppress(FileNotFoundError):
                if name.endswith(".log") and sweep.target in Path(root, name).read_text(errors="replace"):
                    return True
    return False


@pytest.mark.slow
def test_own_modules_are_sent_to_a_cluster(tmp_path: Path) -> None:
    sweep = OwnSweep(tmp_path)
    with cluster(tmp_path, cpus=2) as started:
        sweep.environment |= started.environment
        assert_all_done(sweep.run("--address", started.address))
