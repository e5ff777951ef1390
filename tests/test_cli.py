import logging
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import click
import pytest

from harness import cli
from harness.errors import HarnessWarning


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "harness", *arguments], capture_output=True, text=True)


def test_help_names_every_verb_and_imports_nothing_heavy():
    code = (
        "import sys, harness.cli\n"
        "harness.cli.main(['--help'])\n"
        "heavy = {'torch', 'ray', 'pandas', 'gymnasium', 'numpy', 'h5py', 'matplotlib', 'pydantic', 'rich'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb in cli.VERBS:
        assert f"\n  {verb} " in answer.stdout
    assert answer.stdout.splitlines()[-1] == "HEAVY []"


def commands():
    """Yield each command with its path, groups included."""
    waiting = [(cli.cli, click.Context(cli.cli, info_name="harness"))]
    while waiting:
        command, context = waiting.pop()
        yield context.command_path, command
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                waiting.append((child, click.Context(child, parent=context, info_name=name)))


def test_every_command_and_option_has_help():
    for path, command in commands():
        assert command.help, path
        assert command.get_short_help_str(100).endswith("."), path
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.help, f"{path} {option.name}"


@pytest.mark.parametrize("arguments", [[], ["data"], ["published"]])
def test_call_without_a_verb_prints_help(arguments, capsys):
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith("Usage: harness ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["trian"], "No such verb 'trian'; did you mean run?"),
        (["xyz"], "No such verb 'xyz' (see harness --help)"),
        (["run"], "Missing argument 'FILE' (see harness run --help)"),
        (["table", "x", "--table", "y"], "'y' is not one of 'scores', "),
        (["run", "x.yaml", "--sed", "3"], "--seeds"),
        (["data", "list", "--bar"], "(see harness data list --help)"),
        (["run", "x.yaml", "--set", "a=1", "b=2"], "(b=2); write --set or --only before each"),
    ],
)
def test_invalid_call_prints_one_line_and_exits_with_2(arguments, line, capsys):
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("harness: error: ")
    assert line in said
    assert said.count("\n") == 1


def test_option_value_that_begins_with_a_negative_number_is_accepted(capsys):
    assert cli.main(["run", "experiments/quickstart.yaml", "--seeds", "-1,2"]) == 2
    assert "--seeds -1,2: seeds.0: must be greater than or equal to 0, not -1" in capsys.readouterr().err


def test_system_error_names_the_file(verb, capsys):
    verb(lambda: (Path("x" * 300) / "y\n").stat())
    assert cli.main(["test"]) == 2
    assert capsys.readouterr().err == f"harness: error: {'x' * 300}/y\\n: File name too long\n"


@pytest.mark.parametrize("arguments", [["status", "results"], ["run", "small.yaml"]])
def test_verb_in_a_removed_directory_says_so(arguments, capsys, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err == (
        "harness: error: the current directory was removed; change to another one\n"
    )


def test_user_error_prints_one_line_and_a_traceback_only_with_debug():
    answer = run("run", "absent.yaml")
    assert answer.returncode == 2
    assert answer.stderr == "harness: error: absent.yaml: No such file or directory\n"
    answer = run("run", "absent.yaml", "--debug")
    assert answer.returncode != 0
    assert "Traceback" in answer.stderr


def test_closed_pipe_is_not_an_error():
    command = f"{sys.executable} -m harness published list | head -1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "redirection", "line"),
    [
        ("published list", "> /dev/full", "standard output cannot be written (No space left on device)"),
        ("--help", "> /dev/full", "standard output cannot be written (No space left on device)"),
        ("--help", ">&-", "standard output is closed; send it to a file or to /dev/null"),
    ],
)
def test_unwritable_output_prints_one_line(arguments, redirection, line):
    command = f"{sys.executable} -m harness {arguments} {redirection}"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment)
    assert answer.returncode == 1
    assert answer.stderr == f"harness: error: {line}\n"


def test_output_in_a_limited_encoding_is_complete():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "harness", "published", "show", "td3_bc-paper-v2"]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert answer.returncode == 0
    assert "48.3 ? 0.3" in answer.stdout


@pytest.fixture
def verb(monkeypatch):
    """Return a function that replaces the verb that runs."""

    return lambda function: monkeypatch.setitem(
        cli.cli.commands, "test", click.Command("test", callback=function)
    )


def test_ctrl_c_raised_as_another_error_exits_with_130(verb, capsys):
    def turns_it():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("half imported") from None

    verb(turns_it)
    assert cli.main(["test"]) == 130
    assert capsys.readouterr().err == "harness: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_only_warnings_of_this_package_are_printed_in_one_line(verb, capsys):
    def warns():
        warnings.warn("Glyph 26085 missing", stacklevel=1)
        logging.getLogger("matplotlib.font_manager").warning("findfont: not found")
        warnings.warn("each process keeps its own copy", HarnessWarning, stacklevel=1)
        return 0

    verb(warns)
    assert cli.main(["test"]) == 0
    assert capsys.readouterr().err == "harness: note: each process keeps its own copy\n"
