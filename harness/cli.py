"""The console script `harness`: its verbs, and the messages when one of them fails."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

import click
from click.shell_completion import shell_complete

from harness import __version__
from harness.errors import HarnessError, HarnessWarning
from harness.stdout import StdoutError, stdout

SECTIONS = {
    "Experiments": ("init", "validate", "run", "resume", "status", "schema"),
    "Results": ("table", "plot", "report", "compare", "select", "published"),
    "Trained policies": ("policy", "evaluate", "record"),
    "Datasets and algorithms": ("data", "algorithms", "new-algorithm"),
    "This installation": ("info", "completion", "bench"),
}
"""The verbs as `harness --help` groups them: commands in modules of the same names in harness.commands."""
VERBS = tuple(verb for section in SECTIONS.values() for verb in section)
COMPLETE = "_HARNESS_COMPLETE"
"""The environment variable with which a shell requests completions."""


class Verbs(click.Group):
    """The group of all verbs; it imports the module of a verb when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import a verb."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        if cmd_name not in VERBS:
            from harness.validation import nearest

            ctx.fail(f"No such verb {cmd_name!r}{nearest(cmd_name, VERBS)}")
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"harness.commands.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section of the help per group of verbs."""
        width = max(map(len, VERBS))
        for title, verbs in SECTIONS.items():
            commands = [(f"{verb:{width}}", self.get_command(ctx, verb)) for verb in verbs]
            with formatter.section(title):
                formatter.write_dl([(name, each.get_short_help_str(100)) for name, each in commands])


@click.group(
    cls=Verbs,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and Ray's own messages.")
def cli() -> None:
    """Benchmark offline reinforcement learning algorithms.

    `harness VERB --help` explains a verb. --debug may follow any verb.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb, by default that of this process.

    Returns:
        The exit status: 0 only if all requested work was done, 1 if not, 2 for a mistake in the command, a
        file or a value, 70 for a bug, 130 after Ctrl-C, 141 if the reader of standard output has closed it.
    """
    if sys.stdout is None:
        return _end(1, "error: standard output is closed; send it to a file or to /dev/null")
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    with stdout(), warnings.catch_warnings():
        if not debug:
            _show_only_own_warnings()
        try:
            return _run([word for word in words if word != "--debug"], debug)
        except (Exception, KeyboardInterrupt) as error:
            return _explain(error, debug)


def _run(words: list[str], debug: bool) -> int:
    try:
        if COMPLETE in os.environ:
            return shell_complete(cli, {}, "harness", COMPLETE, os.environ[COMPLETE])
        with cli.make_context("harness", words, obj=debug) as context:
            return cli.invoke(context) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    finally:
        sys.stdout.flush()


def _show_only_own_warnings() -> None:
    """Hide the warnings of libraries, which are meant for developers."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", HarnessWarning)
    warnings.showwarning = lambda message, *_: print(f"harness: note: {message}", file=sys.stderr)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _explain(error: Exception | KeyboardInterrupt, debug: bool) -> int:
    """Print one line on standard error and return the exit status."""
    # Some libraries turn a Ctrl-C during their imports into an ImportError.
    if KeyboardInterrupt in (type(error), type(error.__context__)):
        return _end(130, "interrupted")
    if isinstance(error, StdoutError):
        # A reader that closes the pipe early (head, less) is not an error.
        return 141 if error.reader_left else _end(1, f"error: {error}")
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "harness"
        message = " ".join(error.format_message().split()).rstrip(".")
        if "extra argument" in message and "=" in message:
            message += "; write --set or --only before each"
        return _end(error.exit_code, f"error: {message} (see {where} --help)")
    if debug:
        raise error
    if isinstance(error, HarnessError):
        return _end(2, f"error: {error}")
    if isinstance(error, FileNotFoundError) and error.filename is None:  # as raised by `os.getcwd`
        return _end(2, "error: the current directory was removed; change to another one")
    if isinstance(error, OSError) and error.filename:
        return _end(2, f"error: {os.fsdecode(error.filename)}: {error.strerror}")
    return _end(70, f"internal error: {type(error).__name__}: {error} (--debug shows where)")


def _end(status: int, words: str) -> int:
    # File names may contain line breaks and other control characters.
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in words)
    print(f"harness: {line}", file=sys.stderr)
    return status
