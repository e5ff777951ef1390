"""Options that several verbs have."""

from __future__ import annotations

import argparse

FORMATS = ("terminal", "markdown", "latex", "csv", "html", "json")
SCORES = ("final", "last", "best")


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, default="terminal", help="(default: terminal)")


def add_score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--score",
        choices=SCORES,
        default="final",
        help="of each trial: mean of the final 10 evaluations (default), the last one, or the best one",
    )
