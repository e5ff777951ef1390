"""Evaluation records with their experiment, and values derived from both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.columns import COLUMNS
from harness.divergence import divergence
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.reporting import names
from harness.reporting.catalogue import Score
from harness.scores import TRIAL, scores
from harness.search import Search
from harness.search.search import searches_in
from harness.storage.manifest import Manifest
from harness.trial import Trial

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Steps [evaluations], and values [seeds, evaluations]."""


@dataclass(frozen=True, eq=False)
class Results:
    """Evaluation records, and what is known of their experiment.

    Attributes:
        source: the directory, URL or file, as the user wrote it.
        frame: one row per evaluation, sorted by trial and step. Columns: algorithm, dataset (categories in
            the order of the tables), seed, step, the numbers of `columns.EVALUATION` (NaN where not
            recorded), metrics, and episode_returns (list<double> in Arrow memory) where recorded.
        final_steps: gradient steps of a finished trial, by dataset.
        experiment: None for a file that another tool wrote.
        failures: trial key to the reason, of trials whose last attempt failed.
        requested: the requested trials of a run; empty without an experiment.
        notes: shown below every table of them.
        only: the selection of `--only`: algorithm, dataset or seed to names. Empty for all.
        estimates: one row per policy that was evaluated from data alone, as in `assembly.estimates_table`.
        choices: for the column of each search, a note on the sample that it shows.
        every_sample: these results with all samples, if they show one sample for each search.
    """

    source: str
    frame: pd.DataFrame
    final_steps: Mapping[str, int]
    experiment: Experiment | None = None
    manifest: Manifest = field(default_factory=Manifest)
    failures: dict[str, str] = field(default_factory=dict)
    requested: Sequence[Trial] = ()
    notes: tuple[str, ...] = ()
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    estimates: pd.DataFrame = field(default_factory=pd.DataFrame)
    choices: Mapping[str, str] = field(default_factory=dict)
    every_sample: Results | None = None

    @property
    def ungrouped(self) -> Results:
        """Return these results with all samples of their searches."""
        return self.every_sample or self

    @property
    def name(self) -> str:
        """Return the name of the experiment, or of the file."""
        return self.experiment.name if self.experiment else Path(self.source).stem

    @property
    def algorithms(self) -> list[str]:
        """Return the names of the variants, in the experiment's order."""
        return [str(name) for name in self.frame["algorithm"].cat.categories]

    @property
    def datasets(self) -> list[str]:
        """Return the names of the datasets, in the experiment's order."""
        return [str(name) for name in self.frame["dataset"].cat.categories]

    @cached_property
    def searches(self) -> dict[str, Search]:
        """The searches for hyper-parameters, by the name of the variant that is searched.

        Without an experiment, the grids that the names of the algorithms describe.
        """
        found = self.experiment.searches() if self.experiment else searches_in(self.algorithms)
        shown = {*self.ungrouped.algorithms}
        present = {
            name: {sample: values for sample, values in search.samples.items() if sample in shown}
            for name, search in found.items()
        }
        return {name: replace(found[name], samples=samples) for name, samples in present.items() if samples}

    @property
    def metrics(self) -> list[str]:
        """The learners' metrics that have values, by name."""
        others = [str(name) for name in self.frame.columns if name not in COLUMNS]
        return sorted(name for name in others if self.frame[name].notna().any())

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per trial that has evaluations, as `scores` makes it, with the column `finished`."""
        table = scores(self.frame)
        table["finished"] = table["step"] >= table["dataset"].map(self.final_steps).astype(int)
        return table

    @cached_property
    def finished(self) -> pd.DataFrame:
        """The rows of `scores` that reached the last step: only these count in tables and statistics."""
        return self.scores[self.scores["finished"]].reset_index(drop=True)

    @cached_property
    def finished_frame(self) -> pd.DataFrame:
        """The rows of `frame` that belong to finished trials."""
        kept = np.repeat(self.scores["finished"].to_numpy(), self.scores["evaluations"].to_numpy())
        return self.frame if kept.all() else self.frame[kept].reset_index(drop=True)

    def seed_scores(self, score: Score) -> dict[tuple[str, str], pd.Series[float]]:
        """Return the scores of the finished seeds, indexed by seed, by algorithm and dataset.

        They are normalized, or returns if the dataset has no reference scores.
        """
        cells = self.finished.set_index("seed").groupby(["algorithm", "dataset"], observed=True)
        return {
            (str(algorithm), str(dataset)): trials[score if dataset in self.normalized else f"{score}_return"]
            for (algorithm, dataset), trials in cells
        }

    def score_arrays(self, score: Score) -> dict[tuple[str, str], NDArray[np.float64]]:
        """Return `seed_scores` as arrays, [seeds]."""
        return {cell: np.asarray(seeds, dtype=np.float64) for cell, seeds in self.seed_scores(score).items()}

    def curves(self, dataset: str, column: str) -> dict[str, Curve]:
        """Return a column of `frame` over training, of the finished trials on a dataset, by algorithm."""
        frame = self.finished_frame
        rows = frame[["algorithm", "seed", "step", column]][frame["dataset"] == dataset]
        found: dict[str, Curve] = {}
        for algorithm, trials in rows.groupby("algorithm", observed=True):
            values = trials[column].to_numpy(np.float64).reshape(trials["seed"].nunique(), -1)
            steps = trials["step"].to_numpy(np.float64)[: values.shape[1]]  # equal for all trials
            found[str(algorithm)] = steps, values
        return found

    @cached_property
    def normalized(self) -> list[str]:
        """The datasets with normalized scores; the scores on others are returns, for want of references."""
        known = self.frame.groupby("dataset", observed=False)[["normalized_score", "return_mean"]].count()
        only_returns = (known["normalized_score"] == 0) & (known["return_mean"] > 0)
        return [name for name in self.datasets if not only_returns[name]]

    def score_column(self, dataset: str) -> str:
        """Return the column of `frame` that scores an evaluation on a dataset."""
        return "normalized_score" if dataset in self.normalized else "return_mean"

    @property
    def missing(self) -> list[str]:
        """Every requested trial that is not finished, with its error or its last step."""
        return [line for _, line in self._unfinished]

    @property
    def failed(self) -> list[str]:
        """The trials of `missing` whose last attempt failed."""
        return [line for key, line in self._unfinished if key in self.failures]

    @cached_property
    def _unfinished(self) -> list[tuple[str, str]]:
        """The key of each requested trial that is not finished, and a line about it."""
        steps = self.scores.set_index(TRIAL)["step"].to_dict()
        lines = []
        for key, (algorithm, dataset, seed) in self._expected():
            step, final = steps.get((algorithm, dataset, seed)), self.final_steps[dataset]
            if key in self.stopped or (step is not None and step >= final):
                continue
            state = "no evaluation yet" if step is None else f"at step {step:,} of {final:,}"
            if key in self.failures:
                state = f"failed ({self.failures[key]})"
            lines.append((key, f"{algorithm} on {dataset}, seed {seed}: {state}"))
        return lines

    @cached_property
    def stopped(self) -> Mapping[str, int]:
        """The gradient step at which halving stopped each trial that therefore has no result, by key."""
        keys = {trial.key for trial in self.requested}
        return {key: step for key, step in self.manifest.get("stopped", {}).items() if key in keys}

    @cached_property
    def diverged(self) -> list[str]:
        """Every finished trial with losses or Q-values that are not finite, and the step they begin at."""
        frame = self.finished_frame
        if "non_finite" not in frame:
            return []
        first = frame[frame["non_finite"].notna()].drop_duplicates(TRIAL)
        rows = first[[*TRIAL, "step", "non_finite"]].itertuples(index=False, name=None)
        return [
            f"{algorithm} on {dataset}, seed {seed} ({divergence(metrics, step)})"
            for algorithm, dataset, seed, step, metrics in rows
        ]

    def _expected(self) -> list[tuple[str, tuple[str, str, int]]]:
        """Return (key, (algorithm, dataset, seed)) of all requested trials of a run.

        For a file, these are each algorithm on each dataset with each seed if one of the pairs has every
        seed, else the trials in the file.
        """
        if self.experiment is not None:
            return [(one.key, (one.algorithm, one.dataset.name, one.seed)) for one in self.requested]
        trials: Iterable[tuple[str, str, int]] = self.scores[TRIAL].itertuples(index=False, name=None)
        seeds = sorted(self.scores["seed"].unique().tolist())
        if len(seeds) == self.expected_seeds:
            trials = itertools.product(self.algorithms, self.datasets, seeds)
        return [("", trial) for trial in trials]

    @property
    def expected_seeds(self) -> int:
        """Return the number of seeds that each cell of a table should have."""
        if self.experiment:
            return len(self.experiment.seeds)
        counts = self.scores.groupby(["algorithm", "dataset"], observed=True).size()
        return int(counts.max()) if len(counts) else 0

    @cached_property
    def published_as(self) -> dict[str, str]:
        """Map each dataset to the dataset of published scores: as declared, or of the same name."""
        settings = self.experiment.datasets if self.experiment else ()
        declared = {each.name: each.published_as for each in settings}
        return {name: declared.get(name) or name for name in self.datasets}

    @cached_property
    def titles(self) -> dict[str, str]:
        """Map variants, searches and datasets to titles: the `label`, or one derived from the name."""
        labels: dict[str, str | None] = {}
        if self.experiment:
            labels |= {each.name: each.label for each in self.experiment.datasets}
            labels |= {name: each.label for name, each in self.experiment.algorithms.items()}
        return names.titles([*self.algorithms, *self.searches], self.datasets, labels)

    def title(self, name: str) -> str:
        """Return the title of a variant, search or dataset, or of a column of a search."""
        return self.titles.get(name) or names.algorithm_label(name)

    def measure(self, dataset: str) -> str:
        """Return what the scores on a dataset measure, as the label of an axis."""
        return "Normalized score" if dataset in self.normalized else "Episode return"

    def dataset_title(self, dataset: str) -> str:
        """Return the title of a dataset, with a note where it is measured in returns."""
        title = self.title(dataset)
        return title if dataset in self.normalized else f"{title} (return)"

    def decimals(self, dataset: str, scores: Iterable[float | None]) -> int:
        """Return 1 for normalized scores; for returns enough for three digits of the largest, at most 4."""
        if dataset in self.normalized:
            return 1
        sizes = [abs(score) for score in scores if score is not None and math.isfinite(score)]
        largest = max(sizes, default=0.0)
        return min(4, max(1, 2 - math.floor(math.log10(largest)))) if largest else 1

    @property
    def environments(self) -> list[str]:
        """The gymnasium ids that the policies were evaluated on, as far as they are known."""
        recorded = self.manifest.get("datasets", {})
        found = [recorded.get(name, {}).get("environment") for name in self.datasets]
        if self.experiment:
            found += [dataset.environment for dataset in self.experiment.datasets]
        return sorted({str(name) for name in found if name})

    def normalizer(self, dataset: str) -> tuple[float, float]:
        """Return slope and intercept from returns to normalized scores, from records that have both.

        They are (1, 0) for a dataset without normalized scores.

        Raises:
            HarnessError: where all returns are the same.
        """
        if dataset not in self.normalized:
            return 1.0, 0.0
        known = self.frame.loc[self.frame["dataset"] == dataset, ["return_mean", "normalized_score"]].dropna()
        if known["return_mean"].nunique() < 2:
            raise HarnessError(
                f"{self.source}: cannot infer the reference scores of {dataset} from its records, in which "
                "all returns are equal"
            )
        worst, best = known.loc[known["return_mean"].idxmin()], known.loc[known["return_mean"].idxmax()]
        slope = (best["normalized_score"] - worst["normalized_score"]) / (
            best["return_mean"] - worst["return_mean"]
        )
        return float(slope), float(worst["normalized_score"] - slope * worst["return_mean"])
