"""The best sample of each search among those that have finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from harness.scores import FINAL_EVALUATIONS
from harness.search import Search
from harness.search.ranking import TrialScore, by_merit, means
from harness.storage.progress import Progress
from harness.storage.run_directory import RunDirectory
from harness.trial import Trial


class BestSoFar:
    """Reports the best sample of a search so far whenever it changes."""

    def __init__(self, results: RunDirectory, progress: Progress) -> None:
        self._results = results
        self._progress = progress
        self._searches = [search for search in results.experiment.searches().values() if search.drawn]
        self._trials: dict[str, list[Trial]] = {}
        for trial in results.selected_trials():
            self._trials.setdefault(trial.algorithm, []).append(trial)
        self._scores: dict[str, dict[str, list[TrialScore]]] = {}
        """By search and sample, the scores of its trials."""
        for search in self._searches:
            self._scores[search.name] = {}
            self._add(search, search.samples)

    def after(self, sample: str) -> str | None:
        """Return a line if a sample becomes the best because one of its trials has finished, else None."""
        for search in self._searches:
            if sample in search.samples and sample not in self._scores[search.name]:
                self._add(search, [sample])
                if next(iter(by_merit(self._scores[search.name])), None) == sample:
                    return self._line(search, sample)
        return None

    def _add(self, search: Search, samples: Iterable[str]) -> None:
        """Add the scores of the samples whose trials are all done, and whose results can be read."""
        complete = {sample: self._trials[sample] for sample in samples if self._is_complete(sample)}
        found = self._results.finished(trial for trials in complete.values() for trial in trials)
        for sample, trials in complete.items():
            if all(trial.key in found for trial in trials):
                scores = [final_score(trial, found[trial.key]["rows"]) for trial in trials]
                self._scores[search.name][sample] = scores

    def _is_complete(self, sample: str) -> bool:
        trials = self._trials.get(sample, [])
        return bool(trials) and all(self._progress.by_key[each.key].state == "done" for each in trials)

    def _line(self, search: Search, sample: str) -> str:
        known = self._scores[search.name]
        scores = means(known[sample])
        if all(each.normalized for each in known[sample]) or len(scores) == 1:
            shown = f"mean score {fmean(scores.values()):.1f}"
        else:
            shown = ", ".join(f"{score:.1f} on {dataset}" for dataset, score in scores.items())
        return (
            f"best of {search.name} so far: {search.describe(sample)}, {shown} "
            f"({len(known)} of {len(search.samples)} samples finished)"
        )


def final_score(trial: Trial, rows: Sequence[Mapping[str, Any]]) -> TrialScore:
    """Return the mean over the final evaluations of a trial."""
    final = sorted(rows, key=lambda row: row["step"])[-FINAL_EVALUATIONS:]
    normalized = all(row.get("normalized_score") is not None for row in final)
    name = "normalized_score" if normalized else "return_mean"
    return TrialScore(trial.dataset.name, fmean(row[name] for row in final), normalized)
