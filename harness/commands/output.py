"""Output of verbs: tables in every format, JSON, and lines that are never folded in a pipe."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.commands.options import PATH
from harness.reporting.catalogue import TABLE_FORMATS, TABLE_SUFFIXES
from harness.writing import write_text

if TYPE_CHECKING:
    from harness.reporting.tables import Table

Status = TypeVar("Status")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclass(frozen=True)
class TableOutput:
    """The requested format of a table, and its file if it does not go to standard output."""

    file_format: str = "terminal"
    path: str | None = None

    def show(self, table: Table) -> None:
        """Print the table, or write the file and print its name."""
        from harness.reporting.tables import FORMATS, print_table

        if self.file_format == "terminal":
            print_table(table)
        elif self.path is None:
            print(FORMATS[self.file_format](table), end="")
        else:
            write_text(self.path, FORMATS[self.file_format](table))
            print(self.path)


def takes_table_output(verb: Callable[..., Status]) -> Callable[..., Status]:
    """Add --format, --json and --output, which the verb gets as a TableOutput `output`."""

    @click.option(
        "--format",
        "file_format",
        type=click.Choice(TABLE_FORMATS),
        help="Format of the table.",
        show_default="that of the suffix of --output, else terminal",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, like --format json.")
    @click.option(
        "--output", type=PATH, metavar="FILE", help="Write the table to FILE instead of printing it."
    )
    @wraps(verb)
    def with_output(
        *, file_format: str | None, as_json: bool, output: str | None, **others: object
    ) -> Status:
        if as_json and file_format not in (None, "json"):
            raise click.UsageError(f"--json and --format {file_format} exclude each other")
        by_suffix = {suffix: name for name, suffix in TABLE_SUFFIXES.items()}
        of_file = by_suffix.get(PurePath(output).suffix, "terminal") if output else "terminal"
        chosen = "json" if as_json else file_format or of_file
        if output and chosen == "terminal":
            raise click.UsageError(
                f"--output {output}: use a name that ends in {', '.join(by_suffix)}, or add --format "
                f"with one of {', '.join(TABLE_SUFFIXES)}"
            )
        return verb(output=TableOutput(chosen, output), **others)

    return with_output


def print_json(content: object) -> None:
    """Print valid JSON, indented: numbers that are not finite become strings, as in the JSON of tables."""
    print(json.dumps(_finite(content), indent=2, allow_nan=False))


def _finite(content: object) -> object:
    match content:
        case float() if not math.isfinite(content):
            return str(content)
        case dict():
            return {key: _finite(value) for key, value in content.items()}
        case list() | tuple():
            return [_finite(value) for value in content]
    return content


def print_errors(errors: Collection[object]) -> int:
    """Print each error on a line of standard error; return the exit status, 1 if there are any."""
    for error in errors:
        print(f"harness: error: {error}", file=sys.stderr)
    return 1 if errors else 0


def print_rows(rows: Sequence[Mapping[str, Any]], formats: Mapping[str, str]) -> None:
    """Print a table; it folds lines only on a terminal.

    Args:
        rows: values by column, with the same columns in each row; nothing is printed without rows.
        formats: the format of numbers by column. These columns are aligned to the right, and empty where a
            value is None or NaN.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, justify="right" if column in formats else "left", overflow="fold")
    for row in rows:
        texts = (
            "" if value is None or value != value else f"{value:{formats.get(column, '')}}"
            for column, value in row.items()
        )
        table.add_row(*map(Text, texts))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=10_000)).print(table)
