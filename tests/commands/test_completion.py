import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from harness import cli
from tests.commands.policies import write_results


def completed(*words):
    *before, word = words
    return [item.value for item in ShellComplete(cli.cli, {}, "harness", "").get_completions(before, word)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("re",), ["resume", "report", "record"]),
        (("table", "DIR", "--table", "sc"), ["scores"]),
        (
            ("data", "info", "pendulum-med"),
            ["pendulum-medium-v0", "pendulum-medium-replay-v0", "pendulum-medium-expert-v0"],
        ),
        (("init", "pendulum-r"), ["pendulum-random-v0"]),
        (("init", "hop"), ["hopper"]),
        (("algorithms", "td3_"), ["td3_bc"]),
        (("table", "DIR", "--published", "corl-l"), ["corl-last"]),
        (("plot", "DIR", "--figure", "learn"), ["learning-curves"]),
    ],
)
def test_names_that_the_package_knows_are_completed(words, expected):
    assert [name for name in completed(*words) if not name.startswith("hopper-")][:3] == expected


def test_variants_are_completed_from_the_results_directory(tmp_path):
    write_results(tmp_path / "small")
    assert completed("compare", str(tmp_path / "small"), "--baseline", "td") == ["td3_bc"]
    assert completed("compare", str(tmp_path / "nowhere"), "--baseline", "td") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_one_that_its_shell_can_parse(shell, capfd):
    assert cli.main(["completion", shell]) == 0
    script = capfd.readouterr().out
    assert cli.COMPLETE in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_shell_asks_through_the_environment():
    environment = os.environ | {
        "_HARNESS_COMPLETE": "bash_complete",
        "COMP_WORDS": "harness sta",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-m", "harness"]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert answer.stdout == "plain,status\n"
