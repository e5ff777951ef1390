"""`harness published`: list and show the scores that others published."""

from __future__ import annotations

import click


@click.group()
def published() -> None:
    """Show scores that others published."""


@published.command("list")
def list_sources() -> None:
    """List every source with its protocol."""
    from harness.reporting.published import load, names

    for name in names():
        source = load(name)
        print(f"{name}\n  {source.title}: {', '.join(source.scores)} on {len(source.datasets())} datasets")
        print(f"  source: {source.source} ({source.url})\n  protocol: {source.protocol.sentence()}")
        for line in source.differences(source.scores):
            print(f"    {line}")
        print()
    print("Show one with `harness published show NAME`, use it with `harness table DIR --published NAME`,")
    print("choose its algorithms with NAME:ALGORITHM,ALGORITHM.")


@published.command()
@click.argument("name", metavar="NAME[:ALGORITHM,...]")
def show(name: str) -> None:
    """Show the scores of one source.

    After a colon, only the named algorithms are shown: corl-last:iql,cql.
    """
    from harness.reporting.published import load
    from harness.reporting.tables import print_table, published_table

    print_table(published_table(load(name)))
