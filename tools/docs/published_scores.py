"""The published scores of one algorithm, from the sources that `harness table --published` shows."""

from __future__ import annotations

from harness.reporting import published
from harness.reporting.names import in_table_order, same_algorithms

Score = tuple[float, float | None]
"""Mean, and standard deviation where it was printed."""


def table(name: str) -> str:
    """Return a table for each version of the datasets, and a list of the sources with their protocols.

    Args:
        name: the algorithm, in any spelling.
    """
    found = [(source, _named(name, source)) for source in map(published.load, published.names())]
    sources = {source.name: (source, theirs) for source, theirs in found if theirs is not None}
    scores = {each: source.scores[theirs] for each, (source, theirs) in sources.items()}
    datasets = {dataset for rows in scores.values() for dataset in rows}
    tables = [
        _table([dataset for dataset in in_table_order(datasets) if dataset.endswith(version)], scores)
        for version in sorted({dataset[-3:] for dataset in datasets}, reverse=True)
    ]
    protocols = [
        f"- `{source.name}`: [{source.title}]({source.url}); {source.protocol_of(theirs).sentence()}."
        for source, theirs in sources.values()
    ]
    return "\n\n".join([*tables, "\n".join(protocols)])


def _table(datasets: list[str], scores: dict[str, dict[str, Score]]) -> str:
    """The scores on datasets of one version, a column for each source that has any."""
    columns = [source for source, rows in scores.items() if any(dataset in rows for dataset in datasets)]
    lines = ["| Dataset | " + " | ".join(f"`{source}`" for source in columns) + " |"]
    lines.append("|---|" + "--:|" * len(columns))
    for dataset in datasets:
        cells = [_score(scores[source].get(dataset)) for source in columns]
        lines.append(f"| {dataset} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _named(name: str, source: published.Published) -> str | None:
    """How a source spells the algorithm; None where it does not have it."""
    return same_algorithms([name], source.scores).get(name)


def _score(score: Score | None) -> str:
    if score is None:
        return ""
    mean, deviation = score
    return f"{mean:.1f}" if deviation is None else f"{mean:.1f} ± {deviation:.1f}"
