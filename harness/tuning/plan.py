"""The plan of a run, from the settings of the experiment and the records of its trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness import datasets
from harness.datasets.settings import DatasetSettings
from harness.search.halving import steps_to_train, survivors
from harness.storage.progress import Progress
from harness.storage.run_directory import RunDirectory
from harness.trial import Trial
from harness.tuning.launch import Options
from harness.tuning.packing import Concurrency, network_size
from harness.tuning.summary import counted, duration

BYTES_PER_WEIGHT = 4
METRICS, BYTES_PER_NUMBER, ROW_COPIES = 20, 20, 4
"""The size of an evaluation as text; it is stored in the result, a checkpoint, the logs and the tables."""


class Sizes(NamedTuple):
    """Holds the sizes of one observation and one action."""

    observation: int
    action: int


TYPICAL_SIZES = Sizes(17, 6)
"""The sizes of HalfCheetah, for datasets whose sizes are known only after a download."""


@dataclass(frozen=True)
class Plan:
    """What a run will do, for `harness run` and its dry run alike.

    Attributes:
        results: the results directory.
        options: the options of the launch.
        trials: the selected trials.
        progress: their progress; trials that failed are tried again.
        missing: the trials that have no result and were not stopped early.
        failed: how many of these failed in the last run.
        concurrency: how many trials run at a time on this machine; None on a cluster, whose size is unknown.
    """

    results: RunDirectory
    options: Options
    trials: Sequence[Trial]
    progress: Progress
    missing: Sequence[Trial]
    failed: int
    concurrency: Concurrency | None

    @property
    def datasets(self) -> list[DatasetSettings]:
        """The distinct datasets of the trials."""
        return datasets_of(self.trials)

    @property
    def disk_bytes(self) -> int:
        """The approximate size of the results of the missing trials.

        A trial keeps one checkpoint, its policies (`training.save_policy`), and four copies of each
        evaluation with about 20 metrics as text.
        """
        return sum(map(_disk_bytes, self.missing))

    def time(self) -> str | None:
        """Return how long the run takes at the speed of the last run; None if there was none."""
        left = self.progress.seconds_left(self.concurrency.trials) if self.concurrency is not None else None
        return f"about {duration(left)} at the speed of the last run" if left else None

    def lines(self) -> list[str]:
        """Return a few lines on the trials of the run and what they require."""
        experiment = self.results.experiment
        parts = [
            counted(len({trial.algorithm for trial in self.trials}), "variant"),
            counted(len({trial.dataset.name for trial in self.trials}), "dataset"),
            counted(len({trial.seed for trial in self.trials}), "seed"),
        ]
        steps = experiment.training.gradient_steps
        most = "at most " if experiment.halving is not None else ""
        ahead = self.progress.steps - self.progress.step
        sizes = [datasets.download_size(dataset) for dataset in self.datasets]
        return [
            f"{experiment.name}: {' x '.join(parts)}",
            f"{counted(len(self.trials), 'trial')} of {steps:,} gradient steps{self._states()}",
            *self._edited(),
            f"{most}{ahead:,} steps left; to download: {_download(sizes)}; disk: {_disk(self.disk_bytes)}",
            *self._searches(),
            *self._selection(),
        ]

    def _states(self) -> str:
        counts = {
            "done": self.progress.count("done"),
            "stopped early": self.progress.count("stopped"),
            "failed before": self.failed,
        }
        found = [f"{count} {state}" for state, count in counts.items() if count]
        return f": {', '.join(found)}" if found else ""

    def _edited(self) -> Iterator[str]:
        """Yield a line on each algorithm whose code has changed since it was trained."""
        edited = Counter(trial.algorithm for trial in self.progress.trials if trial.edited)
        for algorithm, count in edited.items():
            yield (
                f"{algorithm}: {counted(count, 'trial')} ran with another version of its code and will be "
                "trained again; choose another --output to keep the earlier results"
            )

    def _searches(self) -> Iterator[str]:
        """Yield lines on each search: its samples, datasets and seeds, and how many samples halving keeps."""
        experiment = self.results.experiment
        datasets, seeds = len(experiment.datasets), len(experiment.seeds)
        for search in experiment.searches().values():
            if not search.drawn:
                continue
            samples = len(search.samples)
            drawn = f"{experiment.sampling}, sampling_seed {experiment.sampling_seed}"
            yield (
                f"search of {search.name}: {samples} samples of {', '.join(search.paths)} ({drawn}); "
                f"datasets: {datasets}, seeds: {seeds}, trials: {samples * datasets * seeds}"
            )
            if experiment.halving is not None:
                steps, eta = experiment.training.gradient_steps, experiment.halving.eta
                taken = steps_to_train(samples, experiment.rungs, eta, steps)
                yield (
                    f"halving compares them at {_listed(experiment.rungs)} gradient steps and leaves "
                    f"{_listed(survivors(samples, experiment.rungs, eta))} of {samples}: "
                    f"{taken * datasets * seeds:,} of {samples * datasets * seeds * steps:,} gradient steps"
                )

    def _selection(self) -> Iterator[str]:
        """Yield a line on the estimates that follow the trials."""
        experiment, selection = self.results.experiment, self.progress.selection
        settings = experiment.selection
        if settings is None or selection is None:
            return
        count = len(self.trials) - self.progress.count("stopped") - selection.done
        if count:
            most = "at most " if experiment.halving is not None else ""
            steps = f"{settings.gradient_steps:,} gradient steps"
            yield f"then {settings.method} of {most}{count} policies, {steps} each"


def datasets_of(trials: Iterable[Trial]) -> list[DatasetSettings]:
    """Return the distinct datasets of trials."""
    return list({trial.dataset.name: trial.dataset for trial in trials}.values())


def _disk_bytes(trial: Trial) -> int:
    training, evaluation = trial.training, trial.evaluation
    mode, _, every = training.save_policy.partition(" ")
    policies = training.gradient_steps // int(every) if every else int(mode != "none")
    copies = trial.hyperparameters.network_counts.per_checkpoint + policies
    weights = BYTES_PER_WEIGHT * network_size(trial) * copies
    evaluations = -(-training.gradient_steps // evaluation.interval)
    return weights + evaluations * (METRICS + evaluation.episodes) * BYTES_PER_NUMBER * ROW_COPIES


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def _disk(size: int) -> str:
    return f"about {max(1, round(size / 1e6)):,} MB" if size else "nothing"


def _download(sizes: Sequence[int | None]) -> str:
    known = sum(size for size in sizes if size is not None)
    unknown = sum(size is None for size in sizes)
    parts = [f"{known / 1e6:,.0f} MB"] if known else []
    if unknown:
        parts.append(f"{counted(unknown, 'dataset')} of unknown size")
    return " and ".join(parts) or "nothing"
