"""Decides which packs may start: all at once, or rung by rung if the samples of a search are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from harness.search import Search
from harness.search.halving import Standing
from harness.storage import rungs
from harness.storage.progress import Progress, mark_rungs
from harness.storage.run_directory import RunDirectory
from harness.storage.rungs import Rungs
from harness.trial import Trial
from harness.tuning.summary import counted

Work = TypeVar("Work")


def waiting_work(
    results: RunDirectory,
    progress: Progress,
    missing: Sequence[Trial],
    as_work: Callable[[Sequence[Trial], Mapping[str, int]], Sequence[Work]],
    say: Callable[[str], None],
) -> Iterator[Work | None]:
    """Yield the work that may start next, the largest first; None while that is not decided yet.

    Searches are independent: once all trials of a search have reached a rung, its best samples continue to
    the next one, while other searches and algorithms keep running. Samples that do not are marked as stopped
    in the progress. `as_work` turns trials into work, given by trial key the gradient step at which each
    pauses.
    """
    searches = rungs.halving_trials(results, missing)
    found = rungs.read(results)
    mark_rungs(progress, found)
    ready = {
        name: _ready(trials, found.standings[name], found, progress) for name, trials in searches.items()
    }
    in_search = {trial.key for trials in searches.values() for trial in trials}
    others = [trial for trial in missing if trial.key not in in_search]
    yield from as_work([*others, *(trial for trials in ready.values() for trial in trials)], found.until)
    while ready:
        active = {trial.key for trial in progress.trials if trial.state in ("waiting", "running")}
        reached = [name for name, trials in ready.items() if active.isdisjoint(each.key for each in trials)]
        if not reached:
            yield None
            continue
        before, found = found, rungs.read(results)
        mark_rungs(progress, found)
        for name in reached:
            standing = found.standings[name]
            if standing.until is not None and standing == before.standings[name]:
                say(_blocked(name, standing, progress))
                del ready[name]
                continue
            if standing.stopped != before.standings[name].stopped:
                say(_decision(results.experiment.searches()[name], standing))
            ready[name] = _ready(searches[name], standing, found, progress)
            yield from as_work(ready[name], found.until)
            if standing.until is None:
                del ready[name]


def _ready(trials: Sequence[Trial], standing: Standing, found: Rungs, progress: Progress) -> list[Trial]:
    """Return the waiting trials that have to train before the next comparison, or to the end."""
    return [
        trial
        for trial in trials
        if progress.by_key[trial.key].state == "waiting"
        and (
            trial.key in found.until if standing.until is not None else trial.algorithm in standing.continuing
        )
    ]


def _decision(search: Search, standing: Standing) -> str:
    rung = max(standing.stopped.values())
    best = standing.ranked[0]
    return (
        f"search {search.name}, step {rung:,}: {len(standing.continuing)} of {len(search.samples)} samples "
        f"continue; best: {search.describe(best)}"
    )


def _blocked(name: str, standing: Standing, progress: Progress) -> str:
    failed = sum(
        trial.state == "failed" and trial.algorithm in standing.continuing for trial in progress.trials
    )
    lacking = "this run lacks other trials of its samples"
    why = f"{counted(failed, 'trial')} failed before it" if failed else lacking
    return f"search {name}, step {standing.until:,}: cannot compare its samples yet, because {why}"
