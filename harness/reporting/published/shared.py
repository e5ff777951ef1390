"""Finds the published scores that can be shown next to results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import HarnessError
from harness.reporting.captions import listed
from harness.reporting.published.source import Published
from harness.reporting.results import Results


def published_score(
    results: Results, source: Published, algorithm: str, dataset: str
) -> tuple[float, float | None] | None:
    """Return mean and standard deviation of a source's scores on a dataset of the results.

    None if the source has none, or if our scores are returns, because published scores are normalized.
    """
    if dataset not in results.normalized:
        return None
    return source.scores[algorithm].get(results.published_as[dataset])


def shared_datasets(results: Results, source: Published, algorithms: Iterable[str]) -> list[str]:
    """List the datasets of the results on which a source has a score to show of any of its algorithms."""
    algorithms = list(algorithms)
    return [
        dataset
        for dataset in results.datasets
        if any(published_score(results, source, algorithm, dataset) for algorithm in algorithms)
    ]


def nothing_shared(results: Results, source: Published) -> str:
    """Return why a source has no score to show next to the results; an empty string if it has one."""
    shown = source.shown(results.algorithms)
    if not shown:
        return (
            f"published {source.name} has no scores of {listed(results.algorithms, 5)}; it has "
            f"{', '.join(source.scores)} (--published {source.name}:{next(iter(source.scores))} shows one)"
        )
    if shared_datasets(results, source, shown):
        return ""
    known = source.datasets(shown)
    returns = [name for name in results.datasets if results.published_as[name] in known]
    if returns:
        return (
            f"published {source.name} has normalized scores, but the results on {listed(returns, 5)} are "
            "returns without reference scores to normalize them"
        )
    return (
        f"published {source.name} has no scores on {listed(results.datasets, 5)}; it has {listed(known, 5)} "
        "(published_as in a dataset's entry of the experiment names the one that it equals)"
    )


def require_shared(results: Sequence[Results], sources: Sequence[Published]) -> None:
    """Raise a HarnessError for a source without any score to show next to one of the results."""
    for source in sources:
        reasons = [nothing_shared(one, source) for one in results]
        if all(reasons):
            raise HarnessError(reasons[0])
