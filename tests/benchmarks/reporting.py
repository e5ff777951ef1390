"""Measures tables and reports on a large generated study: 10,000 trials x 200 evaluations x 10 episodes.

Run as `python -m tests.benchmarks.reporting`. Each verb runs in a separate process, as a user would run it;
time and peak memory are those of the operating system, and the exit status is 1 if one exceeds its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.experiment import Experiment
from harness.writing import write_text
from tests import synthetic
from tests.benchmarks import MAXRSS_BYTES

TASKS = (
    *("halfcheetah", "hopper", "walker2d", "ant", "humanoid"),
    *("swimmer", "reacher", "pusher", "cartpole", "acrobot"),
)


@dataclass(frozen=True)
class Verb:
    """A command, and its limits of seconds and bytes."""

    arguments: tuple[str, ...]
    seconds: float
    memory: float


GIB = 2.0**30
VERBS = (
    Verb(("table", "DIR"), 10, 2 * GIB),
    Verb(("table", "DIR", "--table", "statistics"), 60, 2 * GIB),
    Verb(("report", "DIR"), 60, 4 * GIB),
)


@dataclass(frozen=True)
class Cost:
    """Holds the cost of a command."""

    verb: str
    seconds: float
    cpu_seconds: float
    memory: float
    within: bool


def study(trials: int = 10_000, evaluations: int = 200) -> Experiment:
    """Return an experiment of ten algorithms x fifty datasets x as many seeds as needed."""
    algorithms: dict[str, dict[str, object]] = {"td3_bc": {}, "td3": {}, "bc": {}} | {
        f"variant-{index}": {"algorithm": "td3_bc", "alpha": 1.0 + index} for index in range(7)
    }
    datasets = [f"{task}-{quality}-v2" for quality in synthetic.QUALITY_LEVELS for task in TASKS]
    return synthetic.experiment(
        algorithms=algorithms,
        datasets=datasets,
        seeds=trials // (len(algorithms) * len(datasets)),
        steps=5_000 * evaluations,
        interval=5_000,
    )


def cost(verb: Verb, directory: Path) -> Cost:
    """Return the cost of one verb in a separate process.

    Raises:
        RuntimeError: if the verb fails.
    """
    arguments = [str(directory) if part == "DIR" else part for part in verb.arguments]
    script = "import sys; from harness.cli import main; sys.exit(main(sys.argv[1:]))"
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    error = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise RuntimeError(f"harness {' '.join(verb.arguments)} failed: {error.strip()}")
    memory = usage.ru_maxrss * MAXRSS_BYTES
    within = seconds <= verb.seconds and memory <= verb.memory
    return Cost(" ".join(verb.arguments), seconds, usage.ru_utime + usage.ru_stime, memory, within)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every command that reads results, and print the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--output", metavar="FILE", help="write the figures there as JSON")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        directory = synthetic.write(Path(folder) / "study", study(options.trials, options.evaluations))
        costs = [cost(verb, directory) for verb in VERBS]
    print(f"{options.trials:,} trials x {options.evaluations} evaluations x 10 episodes")
    for verb, one in zip(VERBS, costs, strict=True):
        print(
            f"{'ok  ' if one.within else 'OVER'} harness {one.verb}: "
            f"{one.seconds:.1f} s of {verb.seconds:.0f} s ({one.cpu_seconds:.1f} s of a core), "
            f"{one.memory / GIB:.2f} GiB of {verb.memory / GIB:.0f} GiB"
        )
    if options.output:
        write_text(options.output, json.dumps([one.__dict__ for one in costs], indent=2) + "\n")
    return 0 if all(one.within for one in costs) else 1


if __name__ == "__main__":
    sys.exit(main())
