"""`harness report`: results as one HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.commands.options import add_published, add_score
from harness.errors import HarnessError


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="write one HTML page about results",
        description="Write one HTML page that holds everything about one or more results and needs nothing "
        "beside itself.",
    )
    parser.add_argument(
        "results", nargs="+", metavar="DIR", help="results directories, or CSV or parquet files"
    )
    add_score(parser)
    add_published(parser, "show published scores next to the results")
    parser.add_argument(
        "--films",
        action="store_true",
        help="film an episode of each variant on each dataset, from its saved policies",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="(default: report.html in DIR or beside the file; for several, in the current directory)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from harness.commands.context import behaviour_returns, load_results
    from harness.reporting import published
    from harness.reporting.report import report
    from harness.writing import write_text

    output = options.output or _default_output(options.results)
    sources = published.load_all(options.published)
    results = [load_results(target) for target in options.results]
    films = []
    if options.films:
        from harness.commands.report_films import clips

        films = [clips(target) for target in options.results]
    behaviour = [behaviour_returns(of) for of in results]
    page = report(results, options.score, sources, behaviour, films)
    write_text(output, page)
    print(output)
    return 0


def _default_output(targets: list[str]) -> str:
    if len(targets) > 1:
        return "report.html"
    if "://" in targets[0]:
        raise HarnessError("--output FILE is needed for a report on results that are not on this machine")
    path = Path(targets[0])
    return str(path / "report.html" if path.is_dir() else path.with_name("report.html"))
