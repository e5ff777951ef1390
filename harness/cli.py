"""The console script `harness`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from harness import __version__
from harness.errors import HarnessError

COMMANDS = ("run", "resume", "status", "table", "plot", "report", "compare", "published", "data", "bench")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status is 0 only when all that was asked for is there."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except HarnessError as error:
        if options.debug:
            raise
        print(f"harness: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("harness: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if options.debug:
            raise
        print(
            f"harness: internal error: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr
        )
        return 70


class _HelpFormatter(argparse.HelpFormatter):
    """Keeps every verb on one line with its description; argparse forgets that verbs are indented twice."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=32, **settings)
        self._action_max_length = max(map(len, COMMANDS)) + 4


class _Parser(argparse.ArgumentParser):
    """Answers a wrong call with one line, not with the whole usage, and takes --debug behind any verb."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings.setdefault("formatter_class", _HelpFormatter)
        super().__init__(*arguments, **settings)
        self.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show tracebacks and Ray's own messages",
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="harness", description="Benchmark TD3+BC, TD3 and BC on offline datasets.")
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    parser.set_defaults(debug=False)
    subparsers = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for command in COMMANDS:
        import_module(f"harness.commands.{command}").add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
