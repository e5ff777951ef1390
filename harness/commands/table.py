"""`harness table`: results as the tables that papers print."""

from __future__ import annotations

import argparse
from typing import Any

FORMATS = ("terminal", "markdown", "latex", "csv", "html", "json")
TABLES = ("scores", "run-time", "seeds")
SCORES = ("final", "last", "best")


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "table",
        help="print results as a table",
        description="Print a table of results: mean and standard deviation over seeds, the best in bold.",
    )
    parser.add_argument("results", metavar="DIR", help="a results directory, or a CSV or parquet file")
    parser.add_argument("--table", choices=TABLES, default="scores", help="which one (default: scores)")
    parser.add_argument("--format", choices=FORMATS, default="terminal", help="default: terminal")
    parser.add_argument(
        "--score",
        choices=SCORES,
        default="final",
        help="of each trial: mean of the final 10 evaluations (default), the last one, or the best one",
    )
    parser.add_argument(
        "--published",
        metavar="NAME[,NAME]",
        help="further columns with scores that others published (`harness published list` shows the names)",
    )
    parser.add_argument("--output", metavar="FILE", help="write there instead of printing")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from harness.errors import HarnessError
    from harness.reporting import documents, published, records
    from harness.reporting.tables import FORMATS as WRITERS
    from harness.reporting.tables import print_table

    if options.published and options.table != "scores":
        raise HarnessError(f"--published stands beside scores only, not in the table {options.table}")
    if options.output and options.format == "terminal":
        raise HarnessError("--output needs a --format, such as --format markdown")
    sources = [published.load(name.strip()) for name in (options.published or "").split(",") if name.strip()]
    results = records.load(options.results)
    table = documents.make_table(options.table, results, options.score, sources)
    if options.output:
        documents.write_text(options.output, WRITERS[options.format](table))
        print(options.output)
    elif options.format == "terminal":
        print_table(table)
    else:
        print(WRITERS[options.format](table), end="")
    return 0
