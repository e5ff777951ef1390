"""The console script `harness`."""

from __future__ import annotations

from harness.interrupts import Interrupts  # first: Ctrl-C shows no traceback from here on

# isort: split
import argparse
import logging
import os
import re
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from harness import __version__
from harness.errors import HarnessError, HarnessWarning
from harness.stdout import StdoutError, stdout

COMMANDS = (
    "run",
    "resume",
    "status",
    "table",
    "plot",
    "report",
    "compare",
    "policy",
    "evaluate",
    "record",
    "published",
    "data",
    "algorithms",
    "new-algorithm",
    "schema",
    "bench",
)
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status is 0 only when all that was asked for is there."""
    if sys.stdout is None:
        return _end(1, "error: standard output is closed; send it to a file or to /dev/null")
    options = argparse.Namespace(debug=False)
    with Interrupts.caught() as interrupts, stdout(), warnings.catch_warnings():
        try:
            status = _run(arguments, options)
        except KeyboardInterrupt:
            interrupts.came, status = True, 0
        except Exception as error:
            status = 0 if interrupts.came else _explain(error, options.debug)
    return _end(INTERRUPTED, "interrupted") if interrupts.came and status != INTERRUPTED else status


def _run(arguments: Sequence[str] | None, options: argparse.Namespace) -> int:
    try:
        _parser().parse_args(arguments, options)
        if not options.debug:
            _only_own_warnings()
        status: int = options.run(options)
    finally:
        sys.stdout.flush()
    return status


def _only_own_warnings() -> None:
    """Warnings of libraries are for developers; users can do nothing about them."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", HarnessWarning)
    warnings.showwarning = lambda message, *_: print(f"harness: note: {message}", file=sys.stderr)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _explain(error: Exception, debug: bool) -> int:
    """One line on standard error; the exit status."""
    if isinstance(error, StdoutError):
        # Where its reader (head, less) has left, all is well.
        return 141 if error.reader_left else _end(1, f"error: {error}")
    if debug:
        raise error
    if isinstance(error, HarnessError):
        return _end(2, f"error: {error}")
    if isinstance(error, OSError) and error.filename:
        return _end(2, f"error: {os.fsdecode(error.filename)}: {error.strerror}")
    return _end(70, f"internal error: {type(error).__name__}: {error} (--debug shows where)")


def _end(status: int, words: str) -> int:
    print(f"harness: {_on_one_line(words)}", file=sys.stderr)
    return status


def _on_one_line(words: str) -> str:
    """File names may hold line breaks, and what else a terminal would obey."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in words)


class _HelpFormatter(argparse.HelpFormatter):
    """Keeps every verb on one line with its description; argparse forgets that verbs are indented twice."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=32, **settings)
        self._action_max_length = max(map(len, COMMANDS)) + 4


class _Parser(argparse.ArgumentParser):
    """Answers a wrong call with one line, not with the whole usage, and takes --debug after any verb."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings.setdefault("formatter_class", _HelpFormatter)
        super().__init__(*arguments, **settings)
        self.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show tracebacks and Ray's own messages",
        )
        # Not only numbers are values: --seeds takes lists of them.
        self._negative_number_matcher = re.compile(r"-[\d.][\d.,]*$")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What a verb does not know, nobody does; it is the verb's help that helps."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            settings = "=" in unknown[0] and "--set" in self._option_string_actions
            hint = "; write --set or --only before each" if settings else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {_on_one_line(message)} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="harness", description="Benchmark offline reinforcement learning algorithms.")
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    parser.set_defaults(debug=False)
    subparsers = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for command in COMMANDS:
        import_module(f"harness.commands.{command.replace('-', '_')}").add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
