"""The reference of the command line, generated from the tree of click commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from harness.cli import SECTIONS, cli


def reference() -> str:
    """Return every verb with its usage, meaning and options, in the order of `harness --help`."""
    context = click.Context(cli, info_name="harness", **cli.context_settings)
    parts = []
    for title, verbs in SECTIONS.items():
        parts.append(f"## {title}")
        for verb in verbs:
            command = cli.get_command(context, verb)
            assert command is not None, verb
            parts += _command(verb, command, context)
    return "\n\n".join(parts)


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    """A heading, the usage, the help and the options of a verb; then its own verbs."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"### `{context.command_path}` {{ #{context.command_path.replace(' ', '-')} }}"
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    options = [parameter for parameter in command.get_params(context) if _is_own(parameter)]
    if options:
        rows = "\n".join(_row(option, context) for option in options)
        yield f"| Option | Meaning |\n|---|---|\n{rows}"
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            inner = command.get_command(context, verb)
            assert inner is not None, verb
            yield from _command(verb, inner, context)


def _is_own(parameter: click.Parameter) -> bool:
    """Whether it is an option, other than those that every verb has."""
    return (
        isinstance(parameter, click.Option)
        and parameter.name not in ("help", "debug")
        and not parameter.hidden
    )


def _row(option: click.Parameter, context: click.Context) -> str:
    names, meaning = option.get_help_record(context) or ("", "")
    text = " ".join(meaning.split()).replace("|", "&#124;").replace("<", "&lt;")
    return f"| <code>{names.replace('|', '&#124;')}</code> | {text} |"
