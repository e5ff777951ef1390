"""Prints the results of d4rl itself; runs in a Python that has d4rl 1.1 without its dependencies.

    d4rl_oracle.py infos                   prints d4rl/infos.py's tables as JSON
    d4rl_oracle.py read IN OUT STEPS S A   d4rl.qlearning_dataset of the file IN, as the npz file OUT
    d4rl_oracle.py time IN STEPS S A       seconds, and of them on the CPU, for d4rl.qlearning_dataset of IN

d4rl imports gym, whose old versions do not install on current Python; only three names of it are needed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np


def stub_gym() -> None:
    """Replace gym, which d4rl imports, with a stub."""
    gym: Any = types.ModuleType("gym")
    gym.Env = type("Env", (), {})
    gym.Wrapper = type("Wrapper", (gym.Env,), {})
    gym.utils = types.ModuleType("gym.utils")
    gym.utils.colorize = lambda text, *_, **__: text
    sys.modules |= {"gym": gym, "gym.utils": gym.utils}


def environment(path: str, max_episode_steps: int, observation_size: int, action_size: int) -> Any:
    """Create an environment of d4rl that reads its dataset from a file."""
    from d4rl.offline_env import OfflineEnv  # type: ignore[import-not-found]

    made: Any = OfflineEnv()
    made._max_episode_steps = max_episode_steps
    made.observation_space = types.SimpleNamespace(shape=(observation_size,))
    made.action_space = types.SimpleNamespace(shape=(action_size,))
    made._dataset_url = f"http://127.0.0.1/{Path(path).name}"
    made.dataset_url = made._dataset_url
    return made


def main(verb: str, *arguments: str) -> None:
    """Print the results of the installed d4rl as JSON."""
    os.environ["D4RL_SUPPRESS_IMPORT_ERROR"] = "1"
    if verb != "infos":
        os.environ["D4RL_DATASET_DIR"] = str(Path(arguments[0]).resolve().parent)
    stub_gym()
    import d4rl  # type: ignore[import-not-found]

    if verb == "infos":
        tables = ("DATASET_URLS", "REF_MIN_SCORE", "REF_MAX_SCORE")
        print(json.dumps({table: getattr(d4rl.infos, table) for table in tables}))
    elif verb == "read":
        path, output, *sizes = arguments
        np.savez(output, **d4rl.qlearning_dataset(environment(path, *map(int, sizes))))
    else:
        path, *sizes = arguments
        made = environment(path, *map(int, sizes))
        started, worked = time.perf_counter(), time.process_time()
        d4rl.qlearning_dataset(made)
        print(time.perf_counter() - started, time.process_time() - worked)


if __name__ == "__main__":
    main(*sys.argv[1:])
