"""The parts that `run` and `resume` share: the options of Ray and trackers, and the final messages."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

import click

from harness import user_modules
from harness.commands.options import PATH, debugging
from harness.tuning.launch import PACK

if TYPE_CHECKING:
    from harness.storage.run_directory import RunDirectory
    from harness.tuning.launch import Options
    from harness.tuning.plan import Plan


def launched(verb: Callable[..., int]) -> Callable[..., int]:
    """Add the options of Ray and of trackers, which the verb gets as `launch`."""

    @click.option(
        "--address",
        metavar="ADDRESS",
        help="Address of a Ray cluster: auto, or HOST:PORT.",
        show_default="this machine alone",
    )
    @click.option(
        "--runtime-env",
        type=PATH,
        metavar="FILE",
        help="YAML file with Ray's runtime environment of the workers, such as packages to install.",
    )
    @click.option("--wandb", metavar="PROJECT", help="Also log to this Weights & Biases project.")
    @click.option("--mlflow", metavar="URI", help="Also log to this MLflow tracking server or database.")
    @click.option("--pack", metavar="MODULE:CLASS", default=PACK, hidden=True)  # for tests
    @wraps(verb)
    def with_launch_options(
        *,
        address: str | None,
        runtime_env: str | None,
        wandb: str | None,
        mlflow: str | None,
        pack: str,
        **others: object,
    ) -> int:
        from harness.tuning import cluster
        from harness.tuning import runtime_env as environments
        from harness.tuning.launch import Options

        cluster.configure_ray(address)
        described = None if runtime_env is None else environments.load(runtime_env)
        launch = Options(address, described, wandb, mlflow, pack, debug=debugging())
        return verb(launch=launch, **others)

    return with_launch_options


def reopen(target: str, settings: Sequence[str]) -> tuple[RunDirectory, list[str]]:
    """Read a results directory to continue its run, with the current paths of data files.

    Also return the folders of the user's own modules, which are now importable.
    """
    from harness import experiment_file
    from harness.storage import manifest
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    store = open_store(target)
    runs = manifest.read(store).get("runs") or [{}]
    module_folders = user_modules.folders_of_results(runs[-1].get("module_folders", []), target)
    user_modules.make_importable(module_folders)
    results = RunDirectory.load(store)
    results.relocate_data(experiment_file.move_data(results.experiment, settings))
    return results, module_folders


def execute(results: RunDirectory, options: Options) -> int:
    """Run the missing trials, then print the table and the failures."""
    from harness.tuning import driver, preflight
    from harness.tuning.signals import InterruptedRunError, raise_on_signal

    plan = preflight.plan(results, options)
    print("\n".join(filter(None, [*plan.lines(), plan.time()])), flush=True)
    try:
        with raise_on_signal():
            if options.local:
                preflight.prefetch(plan.datasets)
            interrupted = driver.run(plan)
    except InterruptedRunError as error:
        print(_what_is_left(results))
        return error.status
    return _report(plan, interrupted)


def _report(plan: Plan, interrupted: int | None) -> int:
    from harness.reporting import reading
    from harness.reporting.samples import show_chosen
    from harness.reporting.tables import make_table, print_table
    from harness.storage.trial_record import LOG, TRIALS

    results, progress = plan.results, plan.progress
    if progress.count("done"):
        shown = show_chosen(reading.load(results.store.target), "best", "final")
        print_table(make_table("scores", shown, "final"))
    failed = progress.failed()
    for trial in failed:
        print(f"failed: {trial.algorithm} on {trial.dataset}, seed {trial.seed}: {trial.reason}")
    logs = (f"{TRIALS}/{trial.key}/{LOG}" for trial in failed)
    log = next((log for log in logs if results.store.read(log) is not None), None)
    if log is not None:
        print(f"details: {results.store.target}/{log}")
    print(f"results: {results.store.target}")
    if interrupted is not None:
        print(_what_is_left(results))
        return interrupted
    waiting = len(progress.unfinished())
    if waiting:
        print(f"{waiting} of {len(progress.trials)} trials have no result. {_how_to_resume(results)}")
    return 1 if _lacks_estimates(results) or waiting else 0


def _lacks_estimates(results: RunDirectory) -> bool:
    """Print and return whether a finished policy lacks an estimate that the experiment requests."""
    from harness.storage import estimates

    selection = estimates.scan(results, results.selected_trials())
    if selection is None:
        return False
    if selection.without_policy:
        print(
            f"{len(selection.without_policy)} finished trials saved no policy for {selection.method} to "
            f"evaluate ({selection.without_policy[0].key}). Make them with: harness policy rebuild "
            f"{results.store.target}"
        )
    if selection.missing:
        print(
            f"{len(selection.missing)} policies have no {selection.method} estimate. "
            f"{_how_to_resume(results)}"
        )
    return bool(selection.missing or selection.without_policy)


def _what_is_left(results: RunDirectory) -> str:
    """Return the message after the user ended the run."""
    from harness.storage import progress
    from harness.storage.run_directory import has_begun
    from harness.tuning.status_view import driver_line

    if not has_begun(results.store):
        return "Nothing was started yet; run the same command again."
    found = progress.scan(results)
    return driver_line(found, results.store.target) if found.complete else _how_to_resume(results)


def _how_to_resume(results: RunDirectory) -> str:
    return f"Resume with: harness resume {shlex.quote(results.store.target)}"
