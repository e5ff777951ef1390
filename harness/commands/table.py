"""`harness table`: shows results as the tables that papers print."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.options import PATH, only_option, published_option, score_option, select_option
from harness.commands.output import TableOutput, takes_table_output
from harness.commands.results import load_selected, output_path
from harness.errors import HarnessError
from harness.reporting.catalogue import TABLES, Score


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@click.option(
    "--table",
    "name",
    type=click.Choice(list(TABLES)),
    default="scores",
    metavar="NAME",
    help=f"Which table: {', '.join(TABLES)}.",
)
@takes_table_output
@only_option
@score_option
@select_option
@published_option("Add columns of published scores")
@click.option("--write", is_flag=True, help="Write every table (Markdown, LaTeX, CSV) into DIR/tables.")
def table(
    results: str,
    name: str,
    only: tuple[str, ...],
    score: Score,
    select: str,
    published: tuple[str, ...],
    output: TableOutput,
    write: bool,
) -> None:
    """Print results as a table.

    DIR is a results directory, or a CSV or parquet file. The table shows mean and standard deviation over
    seeds, the best in bold.
    """
    if published and name != "scores":
        raise click.UsageError(f"--published applies only to the scores table, not to {name}")
    if write and (output != TableOutput() or name != "scores"):
        raise click.UsageError("--write writes every table; leave out --table, --format and --output")
    from harness.reporting import tables
    from harness.reporting.published import load_all

    sources = load_all(published)
    loaded = load_selected(results, select, score, only)
    if write:
        if not Path(results).is_dir():
            raise HarnessError(f"--write needs a results directory on this machine, not {results}")
        for path in tables.write(output_path(results, "tables/x").parent, loaded, score, sources):
            print(path)
    else:
        output.show(tables.make_table(name, loaded, score, sources))
