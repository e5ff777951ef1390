"""What `run` and `resume` share: the options of Ray and of trackers, and what is said at the end."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.storage.results import Results
    from harness.tuning.driver import Outcome

RUNTIME_ENV_KEYS = (
    *("pip", "uv", "conda", "py_modules", "py_executable", "working_dir", "excludes", "env_vars", "config"),
    *("container", "image_uri", "java_jars", "worker_process_setup_hook", "nsight", "rocprof_sys", "mpi"),
)
SCRATCH_BYTES = 50_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address", metavar="ADDRESS", help="a Ray cluster: auto, or HOST:PORT (default: this machine alone)"
    )
    parser.add_argument(
        "--runtime-env",
        metavar="FILE",
        help="YAML with Ray's runtime environment for the workers, such as the package to install there",
    )
    parser.add_argument("--wandb", metavar="PROJECT", help="also log to this Weights & Biases project")
    parser.add_argument("--mlflow", metavar="URI", help="also log to this MLflow tracking server or database")


def execute(results: Results, options: argparse.Namespace) -> int:
    """Run what is missing, then print the table and what failed."""
    from harness.tuning import driver, preflight, trackers
    from harness.tuning.signals import InterruptedRunError, ended_early

    wanted = {trial.dataset.name: trial.dataset for trial in results.due()}.values()
    preflight.check_sources(wanted, here=options.address is None)
    how = driver.Options(
        address=options.address,
        runtime_env=_runtime_env(options.runtime_env),
        callbacks=trackers.callbacks(results.experiment.name, options.wandb, options.mlflow),
        debug=options.debug,
    )
    if options.address is None:
        _require_places_for_ray()
    try:
        with ended_early():
            if options.address is None:
                from harness.tuning.capacity import require_room_here
                from harness.tuning.prefetch import prefetch

                require_room_here(results.experiment.resources, {trial.algorithm for trial in results.due()})
                prefetch(wanted)
            outcome = driver.run(results, how)
    except InterruptedRunError as error:
        print(_what_is_left(results))
        return error.status
    return _report(results, outcome)


def _report(results: Results, outcome: Outcome) -> int:
    if outcome.progress.count("done"):
        _print_table(results.store.target)
    failed = outcome.progress.failed()
    for trial in failed:
        print(f"failed: {trial.algorithm} on {trial.dataset}, seed {trial.seed}: {trial.reason}")
    print(f"results: {results.store.target}")
    if outcome.interrupted is not None:
        print(_what_is_left(results))
        return outcome.interrupted
    waiting = len(outcome.progress.trials) - outcome.progress.count("done")
    if waiting:
        print(f"{waiting} of {len(outcome.progress.trials)} trials have no result. {_how_to_resume(results)}")
    others = [trial for trial in results.trials() if trial.key not in outcome.progress.by_key]
    missing = len(others) - len(results.finished(others)) if others else 0
    if missing:
        print(f"{missing} other trials, asked for earlier, have no result. {_how_to_resume(results)}")
    return 1 if waiting else 0


def _print_table(target: str) -> None:
    from harness.reporting import documents
    from harness.reporting.tables import print_table
    from harness.storage import reading

    print_table(documents.make_table("scores", reading.load(target), "final", []))


def _what_is_left(results: Results) -> str:
    """For whoever ended the run."""
    from harness.storage.results import stored_experiment

    if stored_experiment(results.store) is None:
        return "Nothing had begun yet; the same command starts it."
    trials, runs = results.trials(), results.manifest.get("runs", [])
    if runs and runs[-1]["ended"] and len(results.finished(trials)) == len(trials):
        return f"Every trial has its result: harness table {results.store.target}"
    return _how_to_resume(results)


def _how_to_resume(results: Results) -> str:
    return f"Resume with: harness resume {results.store.target}"


def _runtime_env(path: str | None) -> dict[str, Any] | None:
    import yaml

    from harness.errors import HarnessError
    from harness.validation import nearest

    if path is None:
        return None
    try:
        described = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise HarnessError(f"--runtime-env {path}: cannot be read ({str(error).splitlines()[0]})") from None
    if not isinstance(described, dict):
        raise HarnessError(f"--runtime-env {path}: must be a mapping, such as `pip: [package]`")
    unknown = next((str(key) for key in described if key not in RUNTIME_ENV_KEYS), None)
    if unknown is not None:
        raise HarnessError(
            f"--runtime-env {path}: Ray knows no key {unknown}{nearest(unknown, RUNTIME_ENV_KEYS)}"
        )
    return described


def _require_places_for_ray() -> None:
    """Ray waits for half a minute where it cannot write, and then says something else."""
    from harness.errors import HarnessError
    from harness.writing import NotWrittenError, require_writable

    scratch = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp")
    home = Path.home() / ".ray"
    try:
        require_writable(scratch)
    except NotWrittenError as error:
        raise HarnessError(f"{error}; Ray needs a place for its files: name one with TMPDIR") from None
    free = shutil.disk_usage(scratch).free
    if free < SCRATCH_BYTES:
        raise HarnessError(
            f"{scratch}: {free / 1e6:.0f} MB are free, Ray needs {SCRATCH_BYTES / 1e6:.0f} MB for its files; "
            "free some, or name another place with TMPDIR"
        )
    if (home / "auth_token").exists() or any(name.startswith("RAY_AUTH_") for name in os.environ):
        return
    try:
        require_writable(home)
    except NotWrittenError as error:
        raise HarnessError(f"{error}; Ray keeps a token there: set HOME to a directory that can be") from None
