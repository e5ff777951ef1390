"""`harness published`: lists and shows published scores."""

from __future__ import annotations

from dataclasses import asdict

import click

from harness.commands import completers
from harness.commands.output import TableOutput, json_option, print_json, takes_table_output


@click.group()
def published() -> None:
    """List and show published scores."""


@published.command("list")
@json_option
def list_sources(as_json: bool) -> None:
    """List every source with its protocol."""
    from harness.reporting.published import load, names

    sources = {name: load(name) for name in names()}
    if as_json:
        rows = [
            {
                "name": name,
                "title": source.title,
                "source": source.source,
                "url": source.url,
                "datasets": source.datasets(),
                "protocols": {each: asdict(source.protocol_of(each)) for each in source.scores},
            }
            for name, source in sources.items()
        ]
        print_json(rows)
        return
    for name, source in sources.items():
        print(f"{name}\n  {source.title}: {', '.join(source.scores)} on {len(source.datasets())} datasets")
        print(f"  source: {source.source} ({source.url})\n  protocol: {source.protocol.sentence()}")
        for line in source.differences(source.scores):
            print(f"    {line}")
        print()
    print("Show one with `harness published show NAME`, use it with `harness table DIR --published NAME`,")
    print("and choose its algorithms with NAME:ALGORITHM,ALGORITHM.")


@published.command()
@click.argument("name", metavar="NAME[:ALGORITHM,...]", shell_complete=completers.published)
@takes_table_output
def show(name: str, output: TableOutput) -> None:
    """Show the scores of one source.

    NAME:ALGORITHM,ALGORITHM, such as corl-last:iql,cql, shows only these algorithms.
    """
    from harness.reporting.published import load
    from harness.reporting.tables import published_table

    output.show(published_table(load(name)))
