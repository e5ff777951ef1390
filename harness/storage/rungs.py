"""The state of successive halving, derived from the records of trials: which samples were stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.search.halving import Standing, standing
from harness.search.ranking import TrialScore
from harness.storage.run_directory import RunDirectory
from harness.storage.trial_record import TrialRecord
from harness.storage.trial_result import TrialResult
from harness.trial import Trial


@dataclass(frozen=True)
class Rungs:
    """The progress of the searches with halving.

    Attributes:
        standings: the state of each search, by its name.
        until: by trial key, the gradient step of the next comparison, for trials that have not reached it.
        paused: keys of the trials that have reached the next rung of their sample.
        stopped: by trial key, the evaluations of the trials that were stopped and have no result.
    """

    standings: Mapping[str, Standing] = field(default_factory=dict)
    until: Mapping[str, int] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    stopped: Mapping[str, TrialResult] = field(default_factory=dict)

    @property
    def stopped_samples(self) -> dict[str, int]:
        """The rung at which each sample was stopped, by sample."""
        return {sample: rung for each in self.standings.values() for sample, rung in each.stopped.items()}

    def stopped_at(self, trials: Iterable[Trial]) -> dict[str, int]:
        """Return, by trial key, the rungs of the trials whose samples were stopped."""
        rungs = self.stopped_samples
        return {trial.key: rungs[trial.algorithm] for trial in trials if trial.algorithm in rungs}


class _Record(NamedTuple):
    """What the record of a trial contains."""

    rung: TrialResult | None
    result: TrialResult | None
    diverged: bool


def halving_trials(results: RunDirectory, trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Return the trials of each search to which halving applies, by the name of the search."""
    if results.experiment.halving is None:
        return {}
    searches = [search for search in results.experiment.searches().values() if search.drawn]
    search_of = {sample: search.name for search in searches for sample in search.samples}
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.algorithm in search_of:
            found.setdefault(search_of[trial.algorithm], []).append(trial)
    return found


def read(results: RunDirectory) -> Rungs:
    """Decide the rungs of each search from the records of the requested trials."""
    standings: dict[str, Standing] = {}
    until: dict[str, int] = {}
    paused: set[str] = set()
    stopped: dict[str, TrialResult] = {}
    for name, trials in halving_trials(results, results.requested_trials()).items():
        found = results.read_records(trials, _read_record)
        now = standings[name] = _standing(results, trials, found)
        for trial in trials:
            record = found[trial.key]
            if record.result is not None:
                continue
            if trial.algorithm in now.stopped:
                if record.rung is not None:
                    stopped[trial.key] = record.rung
            elif now.until is not None:
                if _score_at(trial, record, now.until) is None:
                    until[trial.key] = now.until
                else:
                    paused.add(trial.key)
    return Rungs(standings, until, frozenset(paused), stopped)


def _read_record(record: TrialRecord) -> _Record:
    result = record.result()
    rung = record.rung() if result is None else None
    return _Record(rung, result, result is None and record.diverged())


def _standing(results: RunDirectory, trials: Sequence[Trial], found: Mapping[str, _Record]) -> Standing:
    halving = results.experiment.halving
    assert halving is not None
    by_key = {trial.key: trial for trial in trials}
    samples: dict[str, list[str]] = {}
    for trial in trials:
        samples.setdefault(trial.algorithm, []).append(trial.key)
    order = [variant for variant in results.experiment.variants() if variant in samples]
    return standing(
        {sample: samples[sample] for sample in order},
        results.experiment.rungs,
        halving.eta,
        lambda key, rung: _score_at(by_key[key], found[key], rung),
    )


def _score_at(trial: Trial, found: _Record, rung: int) -> TrialScore | None:
    """Return the score of a trial at a rung; None if it has not reached the rung."""
    recorded = found.result or found.rung
    for row in recorded["rows"] if recorded is not None else ():
        if row["step"] == rung:
            normalized = row.get("normalized_score")
            score = row["return_mean"] if normalized is None else normalized
            return TrialScore(trial.dataset.name, score, normalized is not None)
    return TrialScore(trial.dataset.name, float("-inf"), True) if found.diverged else None
