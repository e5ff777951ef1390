"""Measures the overhead of the driver: many short trials through Ray Tune and storage, against their work.

Run as `python -m tests.benchmarks.driver`. The work of a trial is one second on one core, so any additional
time is the cost of scheduling, records and processes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.experiment import Experiment
from harness.machine import cores
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.trial import Trial
from harness.writing import write_text
from tests.benchmarks import MAXRSS_BYTES

WORK_SECONDS = "HARNESS_BENCH_WORK_SECONDS"


class Work:
    """A pack of one trial that keeps a core busy for a given time."""

    def __init__(self, trials: Sequence[Trial], device: str, evaluation_service: None = None) -> None:
        (self.trial,) = trials
        self.datasets = [_NoDataset(digest="", environment="none")]
        self.records: list[list[Any]] = [[]]
        self.failures: dict[int, Exception] = {}
        self.step = 0

    @property
    def finished(self) -> bool:
        return self.step >= self.trial.training.gradient_steps

    def advance(self, should_stop: object = None) -> bool:
        from harness.training.evaluation import Evaluation

        started, used = time.perf_counter(), time.thread_time()
        while time.thread_time() - used < float(os.environ[WORK_SECONDS]):
            sum(range(1000))
        self.step = self.trial.training.gradient_steps
        seconds = time.perf_counter() - started
        self.records[0].append(Evaluation(self.step, 0.0, 0.0, 0.0, (0.0,), seconds, 0.0))
        return True

    def wait_for_evaluations(self) -> None:
        pass

    def policy_files(self, index: int, experiment: str) -> dict[str, bytes]:
        return {}

    def state_dict(self, index: int) -> dict[str, Any]:
        return {"step": self.step}

    def load_state_dict(self, index: int, state: dict[str, Any]) -> None:
        self.step = state["step"]

    def close(self) -> None:
        pass


class _NoDataset(SimpleNamespace):
    def __len__(self) -> int:
        return 0


@dataclass(frozen=True)
class Cost:
    """Holds the cost of a run through Ray in addition to the work of its trials."""

    trials: int
    work_seconds: float
    """The core seconds of one trial."""
    cores: int
    total_seconds: float
    """Wall time from the command to the last table."""
    startup_seconds: float
    """Wall time until the first trial began."""
    running_seconds: float
    """Wall time from the beginning of the first trial to the end of the last one."""
    busy_seconds: float
    """Total wall time of all trials."""
    driver_mebibytes: int
    """The largest resident size of the driver's process."""

    @property
    def overhead(self) -> float:
        """The fraction by which the run took longer than the work itself."""
        return self.total_seconds * self.cores / (self.trials * self.work_seconds) - 1

    @property
    def idle(self) -> float:
        """The share of the cores' time, after the first trial began, in which no trial ran."""
        return 1 - self.busy_seconds / (self.running_seconds * self.cores)


def measure(trials: int, work_seconds: float) -> Cost:
    """Run this many trials on this machine's cores."""
    from harness.tuning import driver, preflight
    from harness.tuning.launch import Options

    os.environ[WORK_SECONDS] = str(work_seconds)
    experiment = Experiment.model_validate(
        {
            "name": "driver",
            "datasets": ["pendulum-random-v0"],
            "algorithms": ["bc"],
            "seeds": trials,
            "training": {"gradient_steps": 1},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        results = RunDirectory.prepare(open_store(Path(folder) / "results"), experiment, [])
        begun, started = time.time(), time.perf_counter()
        plan = preflight.plan(results, Options(pack="tests.benchmarks.driver:Work"))
        interrupted = driver.run(plan)
        total = time.perf_counter() - started
        if plan.progress.count("done") != trials:
            raise SystemExit("interrupted" if interrupted else "not every trial was done")
        finished = results.finished(results.requested_trials())
        files = [Path(folder) / "results" / "trials" / key / "result.json" for key in finished]
        ends = [file.stat().st_mtime for file in files]
        busy = sum(row["train_seconds"] for result in finished.values() for row in result["rows"])
    startup = min(ends) - work_seconds - begun
    return Cost(
        trials=trials,
        work_seconds=work_seconds,
        cores=cores(),
        total_seconds=total,
        startup_seconds=startup,
        running_seconds=max(ends) - min(ends) + work_seconds,
        busy_seconds=busy,
        driver_mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES // 2**20,
    )


def main() -> int:
    """Measure with trials that only wait, and print the cost."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.driver", description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=1.0, help="work of one trial")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    options = parser.parse_args()
    cost = measure(options.trials, options.seconds)
    work = cost.trials * cost.work_seconds / cost.cores
    lines = [
        f"{cost.trials} trials of {cost.work_seconds:g} s on {cost.cores} cores: {work:.1f} s of work",
        f"the whole run            {cost.total_seconds:.1f} s ({100 * cost.overhead:+.1f} %)",
        f"until the first trial    {cost.startup_seconds:.1f} s",
        f"idle once trials run     {100 * cost.idle:.1f} % of the cores' time",
        f"memory of the driver     {cost.driver_mebibytes} MiB",
    ]
    print("\n".join(lines))
    if options.json:
        figures = vars(cost) | {"overhead": cost.overhead, "idle": cost.idle}
        write_text(options.json, json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
