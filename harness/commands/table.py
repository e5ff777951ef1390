"""`harness table`: results as the tables that papers print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import PATH, format_option, published_option, score_option, select_option
from harness.errors import HarnessError
from harness.reporting.catalogue import TABLES

if TYPE_CHECKING:
    from harness.scores import Score


@click.command()
@click.argument("results", metavar="DIR", type=PATH)
@click.option("--table", "name", type=click.Choice(list(TABLES)), default="scores", help="Which table.")
@format_option
@score_option
@select_option
@published_option("Add columns of published scores")
@click.option("--output", type=PATH, metavar="FILE", help="Write the table there instead of printing it.")
@click.option("--write", is_flag=True, help="Write every table (Markdown, LaTeX, CSV) into DIR/tables.")
def table(
    results: str,
    name: str,
    file_format: str,
    score: Score,
    select: str,
    published: tuple[str, ...],
    output: str | None,
    write: bool,
) -> None:
    """Print results as a table.

    DIR is a results directory, or a CSV or parquet file. The table shows mean and standard deviation over
    seeds, the best in bold.
    """
    from harness.commands.context import load_selected
    from harness.reporting import documents
    from harness.reporting.published import load_all
    from harness.reporting.tables import FORMATS as WRITERS
    from harness.reporting.tables import print_table
    from harness.writing import inside, write_text

    if published and name != "scores":
        raise HarnessError(f"--published applies only to the scores table, not to {name}")
    if output and file_format == "terminal":
        raise HarnessError("--output needs a --format, such as --format markdown")
    if write and (output or file_format != "terminal" or name != "scores"):
        raise HarnessError("--write writes every table; leave out --table, --format and --output")
    sources = load_all(published)
    loaded = load_selected(results, select, score)
    if write:
        folder = inside(_directory(results), "tables/x").parent
        for path in documents.write_tables(folder, loaded, score, sources):
            print(path)
        return
    made = documents.make_table(name, loaded, score, sources)
    if output:
        write_text(output, WRITERS[file_format](made))
        print(output)
    elif file_format == "terminal":
        print_table(made)
    else:
        print(WRITERS[file_format](made), end="")


def _directory(results: str) -> Path:
    path = Path(results)
    if not path.is_dir():
        raise HarnessError(f"--write needs a results directory on this machine, not {results}")
    return path
