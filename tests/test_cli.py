import argparse
import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from harness import cli
from harness.errors import HarnessWarning


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "harness", *arguments], capture_output=True, text=True)


def test_help_names_every_verb_and_imports_nothing_heavy():
    code = (
        "import sys, harness.cli\n"
        "try: harness.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'ray', 'pandas', 'gymnasium', 'numpy', 'h5py', 'matplotlib', 'pydantic', 'rich'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb in cli.COMMANDS:
        assert f"\n    {verb} " in answer.stdout
    assert answer.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([verb, "--help"])
    assert end.value.code == 0
    assert "--debug" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["trian"], ["run"], ["run", "x.yaml", "--sed", "3"]])
def test_a_wrong_call_gets_one_line_and_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["data", "list", "--bar"], "harness data list: error: unrecognized arguments: --bar"),
        (["run", "x.yaml", "--set", "a=1", "b=2"], "b=2; write --set or --only before each"),
        (["run", "x.yaml", "a\nb"], "a\\nb"),
    ],
)
def test_what_a_verb_does_not_know_is_said_by_it(arguments, line, capsys):
    with pytest.raises(SystemExit):
        cli.main(arguments)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{line} (see harness {' '.join(arguments[: 1 + (arguments[0] == 'data')])} --help)" in said


def test_a_list_that_begins_with_a_negative_number_is_no_option(capsys):
    assert cli.main(["run", "experiments/quickstart.yaml", "--seeds", "-1,2"]) == 2
    assert "--seeds -1,2: seeds.0: must be 0 or more, not -1" in capsys.readouterr().err


def test_a_file_that_may_not_be_looked_at_is_named(verb, capsys):
    verb(lambda options: (Path("x" * 300) / "y\n").stat())
    assert cli.main([]) == 2
    assert capsys.readouterr().err == f"harness: error: {'x' * 300}/y\\n: File name too long\n"


def test_a_mistake_gets_one_line_and_status_2_and_a_traceback_only_with_debug():
    answer = run("run", "absent.yaml")
    assert answer.returncode == 2
    assert answer.stderr == "harness: error: absent.yaml: no such experiment file\n"
    answer = run("run", "absent.yaml", "--debug")
    assert answer.returncode != 0
    assert "Traceback" in answer.stderr


def test_a_reader_that_leaves_is_no_error():
    command = f"{sys.executable} -m harness published list | head -1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("redirection", "line"),
    [
        ("> /dev/full", "standard output cannot be written (No space left on device)"),
        (">&-", "standard output is closed; send it to a file or to /dev/null"),
    ],
)
@pytest.mark.parametrize("arguments", ["published list", "published show corl-last", "--help"])
def test_output_that_cannot_be_written_is_one_line(arguments, redirection, line):
    command = f"{sys.executable} -m harness {arguments} {redirection}"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr == f"harness: error: {line}\n"


def test_output_in_a_narrow_encoding_is_whole():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "harness", "published", "show", "td3_bc-paper-v2"]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert answer.returncode == 0
    assert "48.3 ? 0.3" in answer.stdout


@pytest.fixture
def verb(monkeypatch):
    """A function as the verb that runs."""

    def runs(function):
        parser = argparse.ArgumentParser()
        parser.set_defaults(run=function)
        monkeypatch.setattr(cli, "_parser", lambda: parser)

    return runs


def test_ctrl_c_in_a_destructor_ends_the_verb_too(verb, capsys):
    class Interrupted:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def drops_it(options):
        Interrupted()
        time.sleep(5)
        return 0

    verb(drops_it)
    started = time.monotonic()
    assert cli.main([]) == 130
    assert time.monotonic() - started < 4
    assert capsys.readouterr().err == "harness: interrupted\n"


def test_ctrl_c_that_a_library_turns_into_an_error_of_its_own_is_ctrl_c(verb, capsys):
    def turns_it(options):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("half imported") from None

    verb(turns_it)
    assert cli.main([]) == 130
    assert capsys.readouterr().err == "harness: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_during_imports_shows_no_traceback():
    code = "import harness.interrupts; raise KeyboardInterrupt"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == -signal.SIGINT
    assert answer.stderr == "harness: interrupted\n"


def test_warnings_do_not_reach_the_terminal_but_our_own_in_one_line(verb, capsys):
    def warns(options):
        warnings.warn("Glyph 26085 missing", stacklevel=1)
        logging.getLogger("matplotlib.font_manager").warning("findfont: not found")
        warnings.warn("each process keeps its own copy", HarnessWarning, stacklevel=1)
        return 0

    verb(warns)
    assert cli.main([]) == 0
    assert capsys.readouterr().err == "harness: note: each process keeps its own copy\n"
