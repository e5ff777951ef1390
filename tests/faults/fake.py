"""A fake trainer that takes as long as a test wants, and fails on request.

Its state is a running hash, so a trial that was interrupted and correctly resumed has the same rows as an
uninterrupted one, and any other has different rows. A file in the folder `HARNESS_TEST_FAULTS`, named after
the key of a trial and with the content `KIND STEP`, makes that trial fail.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import torch

from harness.training.evaluation import Evaluation
from harness.training.protocols import ShouldStop
from harness.trial import Trial

STEP_SECONDS = float(os.environ.get("HARNESS_TEST_STEP_SECONDS", "0.001"))
CHECKPOINT_MIB = int(os.environ.get("HARNESS_TEST_CHECKPOINT_MIB", "0"))
MEMORY_MIB = int(os.environ.get("HARNESS_TEST_MEMORY_MIB", "256"))
FAULTS = os.environ.get("HARNESS_TEST_FAULTS", "")


class FakeDataset(SimpleNamespace):
    def __len__(self) -> int:
        return 7


class FakePack:
    """A pack of fake trainers."""

    def __init__(self, trials: Sequence[Trial], device: str = "cpu", evaluation_service: Any = None) -> None:
        self.trials = list(trials)
        self.trainers = [FakeTrainer(trial) for trial in trials]
        self.datasets = [trainer.dataset for trainer in self.trainers]
        self.failures: dict[int, Exception] = {}

    @property
    def records(self) -> list[list[Evaluation]]:
        return [trainer.evaluations for trainer in self.trainers]

    @property
    def step(self) -> int:
        (step,) = {trainer.step for trainer in self.trainers}
        return step

    @property
    def finished(self) -> bool:
        return all(trainer.finished for trainer in self.trainers)

    def advance(self, should_stop: ShouldStop | None = None) -> bool:
        target = self.trainers[0].next_evaluation()
        while self.step < target:
            for trainer in self.trainers:
                trainer.take_step()
            if should_stop is not None and self.step < target and should_stop():
                return False
        for trainer in self.trainers:
            trainer.evaluate()
        return True

    def wait_for_evaluations(self) -> None:
        pass

    def policy_files(self, index: int, experiment: str) -> dict[str, bytes]:
        return {"policy.npz": b"a fake policy"} if self.finished else {}

    def state_dict(self, index: int) -> dict[str, Any]:
        return self.trainers[index].state_dict()

    def load_state_dict(self, index: int, state: dict[str, Any]) -> None:
        self.trainers[index].load_state_dict(state)

    def close(self) -> None:
        pass


class FakeTrainer:
    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.dataset = FakeDataset(digest="d" * 64, environment="Fake-v0")
        self.evaluations: list[Evaluation] = []
        self.state = hashlib.sha256(trial.digest.encode()).hexdigest()
        self.step = 0

    @property
    def finished(self) -> bool:
        return bool(self.evaluations) and self.evaluations[-1].step >= self.trial.training.gradient_steps

    def next_evaluation(self) -> int:
        interval = self.trial.evaluation.interval
        return min((self.step // interval + 1) * interval, self.trial.training.gradient_steps)

    def take_step(self) -> None:
        time.sleep(STEP_SECONDS)
        self.state = hashlib.sha256(self.state.encode()).hexdigest()
        self.step += 1

    def evaluate(self) -> None:
        returns = self._episodes()
        evaluation = Evaluation(
            step=self.step,
            return_mean=float(np.mean(returns)),
            return_std=float(np.std(returns)),
            normalized_score=float(np.mean(returns)) / 10,
            episode_returns=returns,
            train_seconds=0.0,
            evaluation_seconds=0.0,
            metrics={"q1": returns[0] / 3, "actor_loss": -returns[0]},
        )
        self.evaluations.append(evaluation)

    def state_dict(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "step": self.step,
            "evaluations": json.dumps([evaluation.to_row() for evaluation in self.evaluations]),
            "weights": torch.zeros(CHECKPOINT_MIB * 2**18),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.state, self.step = state["state"], state["step"]
        self.evaluations = [Evaluation.from_row(row) for row in json.loads(state["evaluations"])]

    def _episodes(self) -> tuple[float, ...]:
        fault = self._fault()
        if fault == "raise":
            raise ValueError("told to fail\nwith a second line")
        if fault == "nan":
            return (float("nan"),) * 3
        if fault == "hang":
            (Path(FAULTS) / f"{self.trial.key}.hangs").touch()
            time.sleep(3600)
        if fault == "memory":
            used = psutil.Process().memory_info().vms
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_MIB * 2**20, resource.RLIM_INFINITY))
            hoard = []
            while True:
                hoard.append(np.ones(2**24))
        if fault == "die":
            os.kill(os.getpid(), 9)
        number = int(self.state[:8], 16)
        return tuple(float((number >> shift) % 1000) for shift in (0, 3, 7))

    def _fault(self) -> str | None:
        request = Path(FAULTS) / self.trial.key
        if not FAULTS or not request.exists():
            return None
        kind, step = request.read_text().split()
        return kind if self.step >= int(step) else None
