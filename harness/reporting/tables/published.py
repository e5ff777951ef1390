"""The scores of one published source as a table."""

from __future__ import annotations

from harness.reporting.names import in_table_order
from harness.reporting.published import Published
from harness.reporting.tables.model import Cell, Column, Row, Table


def published_table(source: Published) -> Table:
    rows = (
        Row(dataset, tuple(Cell(*source.scores[algorithm].get(dataset, ())) for algorithm in source.scores))
        for dataset in in_table_order(source.datasets)
    )
    return Table(
        name=source.name,
        caption=f"{source.title}: {source.source}, {source.url} ({source.protocol.sentence()}).",
        header="Dataset",
        columns=tuple(Column(algorithm, algorithm) for algorithm in source.scores),
        rows=tuple(rows),
    )
