import pytest

from harness.cli import main
from harness.errors import HarnessError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--algorithm", "sac"], "unknown algorithm 'sac'"),
        (["--device", "tpu"], "device tpu"),
        (["evaluation", "--environment", "NoSuch-v0"], "NoSuch-v0"),
    ],
)
def test_mistakes_get_one_line_and_status_2(arguments, message, capsys):
    assert main(["bench", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("value", ["1,x", "0", ","])
def test_packs_must_be_positive_counts(value, capsys):
    assert main(["bench", "--pack", value]) == 2
    assert "Invalid value for '--pack'" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "inf"])
@pytest.mark.parametrize("command", [[], ["evaluation"]])
def test_seconds_must_be_positive_and_finite(command, value, capsys):
    assert main(["bench", *command, "--seconds", value]) == 2
    assert "is not in the range 0<x<inf" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--seconds", "1"), ("--output", "x"), ("--algorithm", "bc")])
def test_options_before_the_name_of_a_bench_are_refused(option, value, capsys):
    assert main(["bench", option, value, "evaluation"]) == 2
    assert "error: put the options of evaluation after its name (see " in capsys.readouterr().err


def test_debug_before_the_name_of_a_bench_is_allowed():
    with pytest.raises(HarnessError, match="NoSuch-v0"):
        main(["bench", "--debug", "evaluation", "--environment", "NoSuch-v0"])
