"""`harness completion`: scripts that make shells complete the command line."""

from __future__ import annotations

import click
from click.shell_completion import shell_complete


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print a script that completes commands in a shell.

    Load the script when the shell starts:

    \b
        eval "$(harness completion bash)"    # in ~/.bashrc; needs bash 4.4
        eval "$(harness completion zsh)"     # in ~/.zshrc, after compinit
        harness completion fish > ~/.config/fish/completions/harness.fish

    Verbs, options, file names, datasets, algorithms, variants, figures and published scores are completed.
    """
    from harness.cli import COMPLETE, cli

    shell_complete(cli, {}, "harness", COMPLETE, f"{shell}_source")
