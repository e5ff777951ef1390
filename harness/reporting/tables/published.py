"""The scores of one published source as a table."""

from __future__ import annotations

from harness.reporting.names import in_table_order
from harness.reporting.published import Published
from harness.reporting.tables.model import Cell, Column, Row, Table


def published_table(source: Published) -> Table:
    """Tabulate the chosen algorithms of a source, by default all."""
    algorithms = source.chosen or tuple(source.scores)
    return Table(
        name=source.name,
        caption=f"{source.title}: {source.source}, {source.url} ({source.protocol.sentence()}).",
        header="Dataset",
        columns=tuple(Column(algorithm, algorithm) for algorithm in algorithms),
        rows=tuple(
            Row(dataset, tuple(Cell(*source.scores[name].get(dataset, ())) for name in algorithms))
            for dataset in in_table_order(source.datasets(algorithms))
        ),
        notes=tuple(source.differences(algorithms)),
    )
