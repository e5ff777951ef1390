"""`harness table`: results as the tables that papers print."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.commands.options import add_format, add_published, add_score
from harness.errors import HarnessError
from harness.reporting.catalogue import TABLES


def add_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "table",
        help="print results as a table",
        description="Print a table of results: mean and standard deviation over seeds, the best in bold.",
    )
    parser.add_argument("results", metavar="DIR", help="a results directory, or a CSV or parquet file")
    parser.add_argument("--table", choices=TABLES, default="scores", help="which one (default: scores)")
    add_format(parser)
    add_score(parser)
    add_published(parser, "add columns of published scores")
    parser.add_argument("--output", metavar="FILE", help="write there instead of printing")
    parser.add_argument(
        "--write", action="store_true", help="write every table (Markdown, LaTeX, CSV) into DIR/tables"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from harness.commands.context import load_results
    from harness.reporting import documents, published
    from harness.reporting.tables import FORMATS as WRITERS
    from harness.reporting.tables import print_table
    from harness.writing import inside, write_text

    if options.published and options.table != "scores":
        raise HarnessError(f"--published applies only to the scores table, not to {options.table}")
    if options.output and options.format == "terminal":
        raise HarnessError("--output needs a --format, such as --format markdown")
    if options.write and (options.output or options.format != "terminal" or options.table != "scores"):
        raise HarnessError("--write writes every table; leave out --table, --format and --output")
    sources = published.load_all(options.published)
    results = load_results(options.results)
    if options.write:
        folder = inside(_directory(options.results), "tables/x").parent
        for path in documents.write_tables(folder, results, options.score, sources):
            print(path)
        return 0
    table = documents.make_table(options.table, results, options.score, sources)
    if options.output:
        write_text(options.output, WRITERS[options.format](table))
        print(options.output)
    elif options.format == "terminal":
        print_table(table)
    else:
        print(WRITERS[options.format](table), end="")
    return 0


def _directory(results: str) -> Path:
    path = Path(results)
    if not path.is_dir():
        raise HarnessError(f"--write needs a results directory on this machine, not {results}")
    return path
