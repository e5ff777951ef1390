"""Options that several benches have; light, for they are also made for `--help`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from harness.errors import HarnessError


def add_options(parser: argparse.ArgumentParser, measured: str) -> None:
    """--seconds, for each of what is measured, and --output."""
    parser.add_argument("--seconds", type=seconds, default=10.0, help=f"for each {measured} (default: 10)")
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help="also write bench.json and a picture of it into this directory",
    )


def seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    value = float(text)
    if not 0 < value < math.inf:
        raise HarnessError(f"--seconds {text}: must be above 0, and finite")
    return value
