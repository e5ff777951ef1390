"""Measures the time to read a dataset of Hopper's shape, and its memory when several trials share it.

Run `make bench-data`, or `python -m tests.benchmarks.data`. HARNESS_D4RL_PYTHON names a Python that has
d4rl 1.1, to also time its reader.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from harness.errors import HarnessError
from tests.benchmarks import MAXRSS_BYTES, d4rl_oracle

OBSERVATION_SIZE, ACTION_SIZE, MAX_EPISODE_STEPS = 11, 3, 1000
TRIALS = 4
ROUNDS = 3
MEBI = 2**20


def measure(rows: int, d4rl_python: str | None = None) -> None:
    """Measure and print, each number in a new process.

    Args:
        rows: the number of transitions of the dataset.
        d4rl_python: a Python that has d4rl 1.1, to also time it.

    Raises:
        HarnessError: if there are too few transitions, or the Python does not have d4rl.
    """
    if rows < 2 * MAX_EPISODE_STEPS:
        raise HarnessError(f"--transitions {rows}: must be at least {2 * MAX_EPISODE_STEPS}")
    with tempfile.TemporaryDirectory() as directory:
        os.environ["HARNESS_CACHE_DIR"] = str(Path(directory) / "cache")
        path = Path(directory) / "hopper.hdf5"
        _in_fresh_process(_write, path, rows)
        _print_reading(path, d4rl_python)
        _print_memory(path)


def write_hopper(path: Path, rows: int) -> None:
    """Write a file like D4RL's hopper-...-v2: all of its arrays, single precision, compressed."""
    generator = np.random.default_rng(0)
    terminals = generator.random(rows) < 1 / 500
    timeouts = np.zeros(rows, np.bool_)
    start = 0
    for end in [*np.flatnonzero(terminals), rows - 1]:
        timeouts[start + MAX_EPISODE_STEPS - 1 : end : MAX_EPISODE_STEPS] = True
        start = end + 1
    timeouts[-1] = True
    arrays = {
        "observations": generator.normal(size=(rows, OBSERVATION_SIZE)).astype(np.float32),
        "actions": generator.uniform(-1, 1, (rows, ACTION_SIZE)).astype(np.float32),
        "rewards": generator.normal(size=rows).astype(np.float32),
        "terminals": terminals,
        "timeouts": timeouts,
        "infos/action_log_probs": generator.normal(size=rows).astype(np.float32),
        "infos/qpos": generator.normal(size=(rows, 6)).astype(np.float32),
        "infos/qvel": generator.normal(size=(rows, 6)).astype(np.float32),
    }
    arrays["next_observations"] = np.roll(arrays["observations"], -1, axis=0)
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array, compression="gzip")


def _write(path: Path, connection: Any, rows: int) -> None:
    write_hopper(path, rows)
    connection.send(None)


def _print_reading(path: Path, d4rl_python: str | None) -> None:
    """Print the best of several times of both readers, measured in turn so that other load affects both."""
    measured = [(_in_fresh_process(_read, path), _d4rl_seconds(path, d4rl_python)) for _ in range(ROUNDS)]
    seconds, worked, peak, size = (
        min(values) for values in zip(*(ours for ours, _ in measured), strict=True)
    )
    first, again = _in_fresh_process(_load, path), _in_fresh_process(_load, path)
    print(
        f"a file of Hopper's shape: {path.stat().st_size / 1e6:.0f} MB (gzip), as transitions "
        f"{size / MEBI:.0f} MiB\n{'seconds':>41}{'of CPU':>9}"
    )
    peak_memory = f"peak {peak / size:.2f} times the size"
    print(f"  read                           {seconds:8.3f} {worked:8.3f}   {peak_memory}")
    print(f"  read, checked and cached       {first[0]:8.3f} {first[1]:8.3f}")
    print(f"  from the cache                 {again[0]:8.3f} {again[1]:8.3f}")
    theirs = [seconds for _, seconds in measured if seconds]
    if not theirs:
        print("  read by d4rl.qlearning_dataset not measured: --d4rl-python names a Python that has d4rl 1.1")
        return
    their_seconds, they_worked = (min(values) for values in zip(*theirs, strict=True))
    print(
        f"  read by d4rl.qlearning_dataset {their_seconds:8.3f} {they_worked:8.3f}   "
        f"{their_seconds / seconds:.0f} times ours, {they_worked / worked:.0f} times in CPU time"
    )


def _print_memory(path: Path) -> None:
    """Print the memory of processes that have read the whole dataset and keep it at the same time."""
    print("\nmemory for one dataset (beyond what a process has without it; shared pages count once)")
    one, many = _held_by(path, 1), _held_by(path, TRIALS)
    print(f"  1 trial                        {one / MEBI:8.1f} MiB")
    print(f"  {TRIALS} trials                       {many / MEBI:8.1f} MiB   {many / one:.2f} times one")


def _read(path: Path, connection: Any) -> None:
    from harness.datasets import file_source, hdf5, registry, transitions
    from harness.datasets.settings import DataSettings

    with hdf5.open_file(path):
        pass
    before = _peak_memory()
    started, worked = time.perf_counter(), time.process_time()
    recording = file_source.read_recording(
        path, MAX_EPISODE_STEPS, registry.find("hopper-medium-v2").task, False
    )
    built = transitions.build_transitions(recording, transitions.select(recording, DataSettings()), "as_is")
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    connection.send((seconds, worked, _peak_memory() - before, built.nbytes))


def _load(path: Path, connection: Any) -> None:
    from harness.datasets import load
    from harness.datasets.settings import DatasetSettings

    started, worked = time.perf_counter(), time.process_time()
    load(DatasetSettings(name="hopper-medium-v2", path=str(path)))
    connection.send((time.perf_counter() - started, time.process_time() - worked))


def _hold(path: Path, connection: Any) -> None:
    import psutil

    from harness.datasets import load
    from harness.datasets.settings import DatasetSettings

    load("pendulum-expert-v0")  # so that the memory of imported modules does not count
    process = psutil.Process()
    before = _shared_fairly(process)
    dataset = load(DatasetSettings(name="hopper-medium-v2", path=str(path)))
    dataset.transitions.sum()
    connection.send("read")
    connection.recv()
    connection.send(_shared_fairly(process) - before)
    connection.recv()


def _shared_fairly(process: Any) -> int:
    """Return Linux's proportional set size: each page is divided among the processes that map it."""
    memory: Any = process.memory_full_info()
    size: int = memory.pss if hasattr(memory, "pss") else memory.uss
    return size


def _held_by(path: Path, count: int) -> int:
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(count)]
    processes = [context.Process(target=_hold, args=(path, theirs)) for _, theirs in pairs]
    for process in processes:
        process.start()
    for ours, _ in pairs:
        ours.recv()
    for ours, _ in pairs:
        ours.send("measure")
    held: int = sum(ours.recv() for ours, _ in pairs)
    for (ours, _), process in zip(pairs, processes, strict=True):
        ours.send("end")
        process.join()
    return held


def _in_fresh_process(function: Callable[..., None], path: Path, *arguments: Any) -> Any:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=function, args=(path, theirs, *arguments))
    process.start()
    theirs.close()
    result = ours.recv()
    process.join()
    return result


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES


def _d4rl_seconds(path: Path, python: str | None) -> tuple[float, float] | None:
    """Return seconds and CPU seconds."""
    if not python:
        return None
    sizes = (MAX_EPISODE_STEPS, OBSERVATION_SIZE, ACTION_SIZE)
    command = [str(Path(python).absolute()), d4rl_oracle.__file__, "time", str(path), *map(str, sizes)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise HarnessError(f"--d4rl-python {python}: cannot be run ({error.strerror})") from None
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no output").splitlines()[-1]
        raise HarnessError(f"--d4rl-python {python}: d4rl cannot be run there ({reason[-200:]})")
    seconds, worked = done.stdout.split()
    return float(seconds), float(worked)


def main() -> None:
    """Run the measurements that the command line requests."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.data", description=__doc__)
    parser.add_argument("--transitions", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--d4rl-python", metavar="PYTHON", default=os.environ.get("HARNESS_D4RL_PYTHON"))
    options = parser.parse_args()
    measure(options.transitions, options.d4rl_python)


if __name__ == "__main__":
    main()
