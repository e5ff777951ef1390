"""Random kills and damage during small experiments: `python -m tests.faults.chaos --rounds 20 --seed 0`.

Each round runs the experiment from start to end with random faults; its tables must then equal those of an
undisturbed run. The seed determines the faults and their times, but not which trials they hit.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.faults.sweep import Sweep, descendants, end_with_children, kill

MAX_FAULTS = 3
LONGEST_WAIT = 14.0
Driver = subprocess.Popen[str]


def worker_killed(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    workers = sweep.workers()
    if workers:
        kill(choose.choice(workers))


def every_worker_killed(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    for pid in sweep.workers():
        kill(pid)


def driver_killed(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    kill(driver.pid)


def driver_terminated(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    kill(driver.pid, signal.SIGTERM)


def driver_interrupted(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    kill(driver.pid, signal.SIGINT)


def everything_killed(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    end_with_children(driver)


def ray_killed(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    for process in descendants(driver, choose.choice(["raylet", "gcs_server"])):
        process.kill()


def files_damaged(sweep: Sweep, driver: Driver, choose: random.Random) -> None:
    """Kill everything and damage some files, as an unreliable disk might."""
    end_with_children(driver)
    found = [path for path in sweep.files("trials/*/*") if path.is_file()]
    for path in choose.sample(found, min(3, len(found))):
        damage(path, choose)


def damage(path: Path, choose: random.Random) -> None:
    """Flip a bit of a file, or truncate it."""
    data = bytearray(path.read_bytes())
    if choose.random() < 0.5 and data:
        data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
    else:
        data = data[: choose.randrange(max(len(data), 1))]
    path.write_bytes(bytes(data))


FAULTS: list[Callable[[Sweep, Driver, random.Random], None]] = [
    worker_killed,
    worker_killed,
    every_worker_killed,
    driver_killed,
    driver_killed,
    driver_terminated,
    driver_interrupted,
    everything_killed,
    ray_killed,
    files_damaged,
]


def play_round(folder: Path, choose: random.Random, happened: Counter[str]) -> Sweep:
    """Run one experiment to its end with up to `MAX_FAULTS` faults."""
    sweep = Sweep(folder)
    driver = sweep.start()
    for _ in range(choose.randint(1, MAX_FAULTS)):
        fault = choose.choice(FAULTS)
        deadline = time.monotonic() + choose.uniform(0, LONGEST_WAIT)
        while time.monotonic() < deadline and driver.poll() is None:
            time.sleep(0.05)
        if driver.poll() is None:
            happened[fault.__name__] += 1
            fault(sweep, driver, choose)
            time.sleep(choose.uniform(0, 2))
        if driver.poll() is not None:
            driver = again(sweep)
    status, _ = sweep.end(driver)
    if status != 0:  # ended by the last fault
        sweep.finish(again(sweep))
    damage_assembled_files(sweep, choose)
    return sweep


def damage_assembled_files(sweep: Sweep, choose: random.Random) -> None:
    """Check that the table of a finished run survives damage, and that a resume writes the files again."""
    table = sweep.finish(sweep.start("table", sweep.target))
    for name in ("evaluations.parquet", "scores.csv"):
        damage(Path(sweep.target) / name, choose)
    damaged = sweep.finish(sweep.start("table", sweep.target))
    assert "evaluations.parquet is damaged" in damaged
    assert table in damaged
    sweep.finish(sweep.resume())


def again(sweep: Sweep) -> Driver:
    """Resume the run, or start it if there is nothing to resume."""
    return sweep.resume() if sweep.files("experiment.yaml") else sweep.start()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    choose = random.Random(options.seed)
    happened: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        undisturbed = Sweep(folder / "undisturbed", environment={"HARNESS_TEST_STEP_SECONDS": "0"})
        undisturbed.finish(undisturbed.start())
        for number in range(1, options.rounds + 1):
            before, started = happened.copy(), time.monotonic()
            same = play_round(folder / str(number), choose, happened).tables() == undisturbed.tables()
            wrong += not same
            faults = ", ".join(sorted((happened - before).elements())) or "nothing"
            verdict = "identical" if same else "DIFFERENT"
            print(
                f"round {number}: {verdict} after {faults} ({time.monotonic() - started:.0f} s)", flush=True
            )
    print(f"{options.rounds - wrong} of {options.rounds} rounds identical to the undisturbed run")
    print("faults: " + ", ".join(f"{count} {name}" for name, count in sorted(happened.items())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
