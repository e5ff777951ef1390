import pytest

from harness.cli import main
from harness.errors import HarnessError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pack", "1,x"], "--pack 1,x: must be counts of seeds"),
        (["--pack", "0"], "--pack 0: must be counts of seeds"),
        (["--seconds", "0"], "--seconds 0: must be above 0"),
        (["--algorithm", "sac"], "unknown algorithm 'sac'"),
        (["--device", "tpu"], "device tpu"),
        (["--seconds", "inf"], "--seconds inf: must be above 0, and finite"),
        (["evaluation", "--seconds", "-1"], "--seconds -1: must be above 0"),
        (["evaluation", "--seconds", "inf"], "--seconds inf: must be above 0, and finite"),
        (["evaluation", "--environment", "NoSuch-v0"], "NoSuch-v0"),
    ],
)
def test_mistakes_get_one_line_and_status_2(arguments, message, capsys):
    assert main(["bench", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_other_benches_have_options_of_their_own(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "data", "--help"])
    assert stopped.value.code == 0
    assert "--transitions" in capsys.readouterr().out


@pytest.mark.parametrize(("option", "value"), [("--seconds", "1"), ("--output", "x"), ("--algorithm", "bc")])
def test_what_another_bench_is_to_take_comes_behind_its_name(option, value, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["bench", option, value, "evaluation"])
    assert stopped.value.code == 2
    assert f"error: {option}: put options for evaluation after it (see " in capsys.readouterr().err


def test_debug_may_stand_before_another_bench():
    with pytest.raises(HarnessError, match="NoSuch-v0"):
        main(["bench", "--debug", "evaluation", "--environment", "NoSuch-v0"])
