import subprocess
import sys

import pytest

from harness import cli


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "harness.cli", *arguments], capture_output=True, text=True)


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


def test_a_mistake_gets_one_line_and_status_2_and_a_traceback_only_with_debug():
    answer = run("run", "absent.yaml")
    assert answer.returncode == 2
    assert answer.stderr == "harness: error: absent.yaml: no such experiment file\n"
    answer = run("run", "absent.yaml", "--debug")
    assert answer.returncode != 0
    assert "Traceback" in answer.stderr


def test_a_reader_that_leaves_is_no_error():
    command = f"{sys.executable} -m harness.cli published list | head -1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.stderr == ""
