import pytest

from harness.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--algorithm", "sac"], "unknown algorithm 'sac'"), (["--device", "tpu"], "device tpu")],
)
def test_bench_with_a_mistake_prints_one_line_and_exits_with_2(arguments, message, capsys):
    assert main(["bench", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("value", ["1,x", "0", ","])
def test_bench_of_packs_that_are_not_positive_counts_is_rejected(value, capsys):
    assert main(["bench", "--pack", value]) == 2
    assert "Invalid value for '--pack'" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "inf"])
def test_bench_for_a_duration_that_is_not_positive_and_finite_is_rejected(value, capsys):
    assert main(["bench", "--seconds", value]) == 2
    assert "is not in the range 0<x<inf" in capsys.readouterr().err
