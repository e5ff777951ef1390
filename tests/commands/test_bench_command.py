import pytest

from harness.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pack", "1,x"], "--pack 1,x: must be counts of seeds"),
        (["--pack", "0"], "--pack 0: must be counts of seeds"),
        (["--seconds", "0"], "--seconds 0: must be above 0"),
        (["--algorithm", "sac"], "unknown algorithm sac"),
        (["--device", "tpu"], "device tpu"),
        (["evaluation", "--seconds", "-1"], "--seconds -1: must be above 0"),
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
