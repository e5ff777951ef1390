"""Describes what a run would do, and about how long it would take on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from harness import datasets
from harness.algorithms.hyperparameters import Hyperparameters
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.machine import cores
from harness.search.halving import steps_to_train, survivors
from harness.storage.progress import Progress, scan
from harness.storage.run_directory import RunDirectory
from harness.trial import Trial
from harness.tuning import preflight
from harness.tuning.launch import Options
from harness.tuning.settings import ResourceSettings
from harness.tuning.summary import aligned, duration

MEASURED_SECONDS = 1.0
OBSERVATION_SIZE, ACTION_SIZE, TRANSITIONS = 17, 6, 10_000  # HalfCheetah's sizes; other sizes change little


def describe(results: RunDirectory, options: Options, verbose: bool = False) -> None:
    """Check the trials as a run would and print the work ahead; download and write nothing.

    Args:
        results: the results directory.
        options: of the launch.
        verbose: whether to list every trial.

    Raises:
        HarnessError: where a run would.
    """
    preflight.check_run(results, options)
    trials = results.selected_trials()
    progress = scan(results)
    unfinished = {trial.key for trial in progress.unfinished()}
    missing = [trial for trial in trials if trial.key in unfinished]
    preflight.digests_of_files(results)
    preflight.check_trials(missing, options, results.experiment.resources)
    if verbose:
        _print_trials(progress)
    print("\n".join(plan(results)))
    done, stopped = progress.count("done"), progress.count("stopped")
    if done or stopped:
        print(f"{done} trials are done" + (f", {stopped} stopped early" if stopped else ""))
    most = "at most " if results.experiment.halving is not None else ""
    print(f"{most}{progress.steps - progress.step:,} gradient steps ahead")
    if (selection := results.experiment.selection) is not None and progress.selection is not None:
        count = len(trials) - progress.selection.done
        print(
            f"then {selection.method} of {count} policies, {selection.gradient_steps:,} gradient steps each"
        )
    if missing:
        _print_duration(trials, progress, results.experiment.resources)


def plan(results: RunDirectory) -> list[str]:
    """Return what a run of the selected trials consists of, in a few lines."""
    trials = results.selected_trials()
    parts = [
        _counted(len({trial.algorithm for trial in trials}), "variant"),
        _counted(len({trial.dataset.name for trial in trials}), "dataset"),
        _counted(len({trial.seed for trial in trials}), "seed"),
    ]
    steps = results.experiment.training.gradient_steps
    sizes = [datasets.download_size(dataset) for dataset in preflight.datasets_of(trials)]
    return [
        f"{results.experiment.name}: {' x '.join(parts)}",
        f"{_counted(len(trials), 'trial')} of {steps:,} gradient steps; to download: {_download(sizes)}",
        *_searches(results.experiment),
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _searches(experiment: Experiment) -> Iterator[str]:
    """Yield a line on each search: its samples, datasets and seeds, and what halving leaves of them."""
    for search in experiment.searches().values():
        if not search.drawn:
            continue
        samples, datasets, seeds = len(search.samples), len(experiment.datasets), len(experiment.seeds)
        drawn = f"{experiment.sampling}, sampling_seed {experiment.sampling_seed}"
        yield (
            f"search of {search.name}: {samples} samples of {', '.join(search.paths)} ({drawn}); datasets: "
            f"{datasets}, seeds: {seeds}, trials: {samples * datasets * seeds}"
        )
        if experiment.halving is not None:
            steps, eta = experiment.training.gradient_steps, experiment.halving.eta
            taken = steps_to_train(samples, experiment.rungs, eta, steps)
            yield (
                f"halving compares them at {_listed(experiment.rungs)} gradient steps and leaves "
                f"{_listed(survivors(samples, experiment.rungs, eta))} of {samples}: "
                f"{taken * datasets * seeds:,} of {samples * datasets * seeds * steps:,} gradient steps"
            )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def _print_duration(trials: Sequence[Trial], progress: Progress, resources: ResourceSettings) -> None:
    measure(trials, progress)
    at_once = _at_once(resources)
    seconds = progress.seconds_left(at_once) or 0.0
    together = f"{at_once} trial{'s' * (at_once > 1)} at a time"
    print(
        f"about {duration(seconds)} on this machine's CPU, {together} "
        "(gradient steps as measured now, evaluations not counted)"
    )
    if resources.gpus:
        print("on its GPUs: as fast as harness bench --device cuda shows, in packs of trials")


def _at_once(resources: ResourceSettings) -> int:
    """Trials that this machine's cores train at the same time."""
    pack = resources.pack if isinstance(resources.pack, int) else 1
    evaluators = resources.evaluators if isinstance(resources.evaluators, int) else 0
    return max(1, int(cores() / (resources.cpus + evaluators))) * pack


def measure(trials: Sequence[Trial], progress: Progress) -> None:
    """Fill in the steps per second of every trial, measured once per kind on made-up transitions."""
    speeds: dict[str, float] = {}
    for trial in trials:
        kind = trial.hyperparameters.model_dump_json(exclude={"label"})
        if kind not in speeds:
            try:
                speeds[kind] = _steps_per_second(trial.hyperparameters)
            except RuntimeError as error:  # torch's error where memory is short
                raise HarnessError(
                    f"algorithm {trial.algorithm}: its networks and batches do not fit here "
                    f"({str(error).splitlines()[0]}); lower batch_size or hidden_sizes"
                ) from None
        progress.by_key[trial.key].steps_per_second = speeds[kind]


def _steps_per_second(hyperparameters: Hyperparameters) -> float:
    import torch

    from harness.algorithms import TrainingData, learner_class

    torch.set_num_threads(1)
    data = TrainingData(
        torch.rand(TRANSITIONS, 2 * OBSERVATION_SIZE + 2 * ACTION_SIZE + 2),
        OBSERVATION_SIZE,
        ACTION_SIZE,
        max_action=1.0,
        state_mean=torch.zeros(OBSERVATION_SIZE),
        state_scale=torch.ones(OBSERVATION_SIZE),
    )
    learner = learner_class(hyperparameters)(hyperparameters, data, seeds=[0])
    learner.train(10)
    started, before = time.perf_counter(), learner.step
    while time.perf_counter() - started < MEASURED_SECONDS:
        learner.train(10)
    return (learner.step - before) / (time.perf_counter() - started)


def _print_trials(progress: Progress) -> None:
    rows = [("algorithm", "dataset", "seed", "gradient steps", "state")]
    rows += [
        (trial.algorithm, trial.dataset, str(trial.seed), f"{trial.step:,} of {trial.steps:,}", trial.state)
        for trial in progress.trials
    ]
    print("\n".join(aligned(rows)))


def _download(sizes: Sequence[int | None]) -> str:
    known = sum(size for size in sizes if size is not None)
    unknown = sum(size is None for size in sizes)
    parts = [f"{known / 1e6:,.0f} MB"] if known else []
    if unknown:
        parts.append(f"{unknown} dataset{'s' * (unknown > 1)} of unknown size")
    return " and ".join(parts) or "nothing"
