"""`harness report`: writes results as one HTML page."""

from __future__ import annotations

import click

from harness.commands import report_films
from harness.commands.options import PATH, only_option, published_option, score_option, select_option
from harness.commands.results import behaviour_returns, load_selected, output_path
from harness.reporting.catalogue import Score
from harness.writing import write_text


@click.command()
@click.argument("results", metavar="DIR...", nargs=-1, required=True, type=PATH)
@only_option
@score_option
@select_option
@published_option("Show published scores next to the results,")
@click.option(
    "--films", is_flag=True, help="Film an episode of each variant on each dataset, from its saved policies."
)
@click.option("--host", is_flag=True, help="Show the host name of the runs, and full paths.")
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    help="HTML file.",
    show_default="report.html in DIR or next to the file; for several, in the current folder",
)
def report(
    results: tuple[str, ...],
    only: tuple[str, ...],
    score: Score,
    select: str,
    published: tuple[str, ...],
    films: bool,
    host: bool,
    output: str | None,
) -> None:
    """Write one HTML page about results.

    Each DIR is a results directory, or a CSV or parquet file. The page is self-contained.
    """
    from harness.reporting.published import load_all
    from harness.reporting.report import report as make_report

    target = output or ("report.html" if len(results) > 1 else output_path(results[0], "report.html"))
    sources = load_all(published)
    loaded = [load_selected(each, select, score, only) for each in results]
    shown = [report_films.clips(each, only) for each in results] if films else []
    behaviour = [behaviour_returns(of) for of in loaded]
    page = make_report(loaded, score, sources, behaviour, shown, with_host=host)
    write_text(target, page)
    print(target)
