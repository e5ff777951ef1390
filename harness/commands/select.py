"""`harness select`: names the sample of a search that a rule selects."""

from __future__ import annotations

from dataclasses import asdict

import click

from harness.commands.options import PATH, only_option, score_option
from harness.commands.output import json_option, print_json
from harness.commands.results import load_results
from harness.reporting.catalogue import OFFLINE_RULES, SCORES, Score


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@click.option(
    "--by",
    "rule",
    type=click.Choice((*OFFLINE_RULES, *SCORES)),
    required=True,
    help="Rule: fqe and td_error are estimates from data alone, which `selection:` in the experiment "
    "requests; final, last and best are scores, which use the environment.",
)
@only_option
@click.option("--top", type=click.IntRange(1), default=1, metavar="K", help="Name the first K samples.")
@score_option
@json_option
def select(results: str, rule: str, only: tuple[str, ...], top: int, score: Score, as_json: bool) -> None:
    """Select hyper-parameters, with or without the environment.

    DIR is a results directory, or a CSV or parquet file. Names the sample of each search that a rule selects
    on each dataset and over all datasets. Nothing that is missing is computed.
    """
    from harness.reporting.selection.rules import select as select_samples
    from harness.reporting.tables import print_table
    from harness.reporting.tables.selection import selected_table

    loaded = load_results(results, only)
    selected = select_samples(loaded, rule, score, top)
    if as_json:
        print_json([asdict(each) for each in selected])
    else:
        print_table(selected_table(loaded, selected, rule, score))
