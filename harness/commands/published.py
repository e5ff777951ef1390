"""`harness published`: list and show the scores that others published."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "published", help="scores that others published", description="Scores that others published."
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="every source with its protocol")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="the scores of one source")
    show.add_argument("name", metavar="NAME[:ALGORITHM,...]", help="after a colon, show these alone")
    show.set_defaults(run=run_show)


def run_list(options: argparse.Namespace) -> int:
    from harness.reporting import published

    for name in published.names():
        source = published.load(name)
        print(f"{name}\n  {source.title}: {', '.join(source.scores)} on {len(source.datasets())} datasets")
        print(f"  source: {source.source} ({source.url})\n  protocol: {source.protocol.sentence()}")
        for line in source.differences(source.scores):
            print(f"    {line}")
        print()
    print("Show one with `harness published show NAME`, use it with `harness table DIR --published NAME`,")
    print("choose its algorithms with NAME:ALGORITHM,ALGORITHM.")
    return 0


def run_show(options: argparse.Namespace) -> int:
    from harness.reporting import published
    from harness.reporting.tables import print_table, published_table

    print_table(published_table(published.load(options.name)))
    return 0
