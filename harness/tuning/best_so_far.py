"""The best sample of each search among those that have finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.search import Search
from harness.search.ranking import mean, means, merits
from harness.storage.progress import Progress
from harness.storage.run_directory import RunDirectory
from harness.trial import Trial

Scores = dict[str, float]
"""The mean over seeds for each dataset."""


class BestSoFar:
    """Reports the best sample of a search so far whenever it changes.

    Args:
        results: the results directory.
        progress: the progress of its trials.
    """

    def __init__(self, results: RunDirectory, progress: Progress) -> None:
        self._results = results
        self._progress = progress
        self._searches = [search for search in results.experiment.searches().values() if search.drawn]
        self._trials: dict[str, list[Trial]] = {}
        for trial in results.selected_trials():
            self._trials.setdefault(trial.algorithm, []).append(trial)
        self._scores: dict[str, dict[str, Scores]] = {search.name: {} for search in self._searches}
        self._normalized: dict[str, bool] = dict.fromkeys(self._scores, True)
        self._best: dict[str, str] = {}
        for search in self._searches:
            self._add(search, search.samples)

    def after(self, sample: str) -> str | None:
        """Return a line if a sample becomes the best because one of its trials has finished, else None."""
        for search in self._searches:
            if sample in search.samples and self._add(search, [sample]) and self._best[search.name] == sample:
                return self._line(search, sample)
        return None

    def _add(self, search: Search, samples: Iterable[str]) -> bool:
        """Add the samples whose trials are all done; return whether the best one has changed."""
        complete = [sample for sample in samples if self._is_complete(sample)]
        if not complete:
            return False
        trials = [trial for sample in complete for trial in self._trials[sample]]
        found = self._results.finished(trials)
        for sample in complete:
            trials = self._trials[sample]
            scores = [final_score(found[trial.key]["rows"]) for trial in trials]
            self._normalized[search.name] &= all(normalized for _, normalized in scores)
            self._scores[search.name][sample] = means(
                (trial.dataset.name, score) for trial, (score, _) in zip(trials, scores, strict=True)
            )
        merit = merits(self._scores[search.name], self._normalized[search.name])
        before, self._best[search.name] = self._best.get(search.name), max(merit, key=merit.__getitem__)
        return self._best[search.name] != before

    def _is_complete(self, sample: str) -> bool:
        trials = self._trials.get(sample, [])
        return bool(trials) and all(self._progress.by_key[each.key].state == "done" for each in trials)

    def _line(self, search: Search, sample: str) -> str:
        known = self._scores[search.name]
        scores: Mapping[str, float] = known[sample]
        if self._normalized[search.name] or len(scores) == 1:
            shown = f"mean score {mean(list(scores.values())):.1f}"
        else:
            shown = ", ".join(f"{score:.1f} on {dataset}" for dataset, score in scores.items())
        return (
            f"best of {search.name} so far: {search.describe(sample)}, {shown} "
            f"({len(known)} of {len(search.samples)} samples finished)"
        )


def final_score(rows: Sequence[Mapping[str, Any]]) -> tuple[float, bool]:
    """Return the mean over the final evaluations of a trial, and whether it is of normalized scores."""
    from harness.scores import FINAL_EVALUATIONS  # imports pandas

    final = sorted(rows, key=lambda row: int(row["step"]))[-FINAL_EVALUATIONS:]
    normalized = all(row.get("normalized_score") is not None for row in final)
    name = "normalized_score" if normalized else "return_mean"
    return mean([float(row[name]) for row in final]), normalized
