"""Options that several verbs have."""

from __future__ import annotations

import argparse

from harness.reporting.catalogue import SCORES, TABLE_FORMATS


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=TABLE_FORMATS, default="terminal", help="(default: terminal)")


def add_score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--score",
        choices=SCORES,
        default="final",
        help="of each trial: mean of the final 10 evaluations (default), the last one, or the best one",
    )


def add_published(parser: argparse.ArgumentParser, effect: str) -> None:
    """Add the option that chooses published scores; `effect` says what the verb does with them."""
    parser.add_argument(
        "--published",
        action="append",
        default=[],
        metavar="NAME[:ALGORITHM,...]",
        help=f"{effect}: the algorithms of the source NAME that the results have too, or after a colon those "
        "to show instead, such as corl-last:td3_bc,iql,cql; NAME,NAME or a second --published adds a source "
        "(`harness published list` shows all)",
    )
