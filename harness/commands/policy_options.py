"""Options of the verbs that use saved policies."""

from __future__ import annotations

import argparse


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the policies themselves: a results directory and which of its trials, or one file."""
    parser.add_argument("source", metavar="DIR|FILE", help="a results directory, its URL, or a policy file")
    add_only(parser)
    parser.add_argument(
        "--policy",
        choices=("final", "best", "step"),
        help="which policies of each trial, as training.save_policy kept them: the final one, the best, or "
        "those at every N gradient steps (default: the final one, else the best)",
    )


def add_only(parser: argparse.ArgumentParser) -> None:
    """Add the option that selects trials."""
    parser.add_argument(
        "--only",
        metavar="KEY=NAME",
        action="append",
        default=[],
        help="only these trials: algorithm=bc, dataset=hopper-medium-v2 or seed=0,1 (may be repeated)",
    )


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add where episodes run, and what fixes their starts."""
    parser.add_argument(
        "--environment",
        metavar="ID",
        help="a gymnasium id, or MODULE:ID where importing MODULE registers it (default: the policy's own)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number,
        metavar="N",
        help="with the trial's seed it fixes the start of each episode (default: the recorded one)",
    )


def whole_number(text: str) -> int:
    """Parse a number from 0, for argparse."""
    return _at_least(text, 0)


def positive_number(text: str) -> int:
    """Parse a number from 1, for argparse."""
    return _at_least(text, 1)


def _at_least(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of {least} or more, not {text}")
    return int(text)
