"""The published scores of one algorithm, from the sources that `harness table --published` shows."""

from __future__ import annotations

from harness.reporting import published
from harness.reporting.names import in_table_order, same_algorithms


def table(name: str) -> str:
    """Return a table of datasets and sources, and a list of the sources with their protocols.

    Args:
        name: the algorithm, in any spelling.
    """
    found = [(source, _named(name, source)) for source in map(published.load, published.names())]
    sources = [(source, theirs) for source, theirs in found if theirs is not None]
    datasets = in_table_order({dataset for source, theirs in sources for dataset in source.scores[theirs]})
    lines = ["| Dataset | " + " | ".join(f"`{source.name}`" for source, _ in sources) + " |"]
    lines.append("|---|" + "--:|" * len(sources))
    for dataset in datasets:
        cells = [_score(source.scores[theirs].get(dataset)) for source, theirs in sources]
        lines.append(f"| {dataset} | " + " | ".join(cells) + " |")
    protocols = [
        f"- `{source.name}`: [{source.title}]({source.url}); {source.protocol_of(theirs).sentence()}."
        for source, theirs in sources
    ]
    return "\n".join([*lines, "", *protocols])


def _named(name: str, source: published.Published) -> str | None:
    """How a source spells the algorithm; None where it does not have it."""
    return same_algorithms([name], source.scores).get(name)


def _score(score: tuple[float, float | None] | None) -> str:
    if score is None:
        return ""
    mean, deviation = score
    return f"{mean:.1f}" if deviation is None else f"{mean:.1f} ± {deviation:.1f}"
