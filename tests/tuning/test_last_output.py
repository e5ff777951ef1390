from pathlib import Path

from harness.tuning.last_output import LONGEST, last_output, start_failure

STAMP = "2026-11-28 19:17:16+00:00 "
ATTEMPT = STAMP + "attempt at bc--x--0 from step 0 by process 7 on host\n"
STEP = STAMP + "step 80: return 0.00 +- 0.00, 346 steps/s\n"
CRASH = """about to touch NULL
*** SIGSEGV received at time=1795893436 on cpu 1 ***
Fatal Python error: Segmentation fault

Stack (most recent call first):
  File "ctypes/__init__.py", line 519 in string_at

Extension modules: numpy._core._multiarray_umath (total: 50)
"""


def output_of(*lines: str) -> str | None:
    return last_output("".join(lines).encode())


def test_last_output_finds_the_error_in_the_output() -> None:
    assert output_of(ATTEMPT, STEP, CRASH) == "Fatal Python error: Segmentation fault"
    assert output_of(ATTEMPT, CRASH, ATTEMPT) == "Fatal Python error: Segmentation fault"
    assert output_of(ATTEMPT, "Traceback\n  File x\nValueError: no\nbye\n") == "ValueError: no"
    assert output_of(ATTEMPT, "one\ntwo\n") == "two"


def test_last_output_of_a_killed_process_is_none() -> None:
    assert output_of() is None
    assert output_of(ATTEMPT, "a warning\n", STEP) is None
    assert output_of(ATTEMPT, "a warning\n", STEP, ATTEMPT) is None


def test_last_output_of_any_output_is_short_and_readable() -> None:
    assert output_of(ATTEMPT, "x" * 1000) == "x" * LONGEST
    assert last_output(b"\xff\xfe broken") == "\ufffd\ufffd broken"


def test_start_failure_returns_the_latest_exception(tmp_path: Path) -> None:
    died = "Failure # 1 (occurred at 1)\nThe actor died unexpectedly before finishing this task.\n"
    failed = (
        "Failure # 2 (occurred at 2)\nThe actor died because of an error raised in its creation task, x\n"
        '  File "tensorboardX.py", line 1, in <module>\nRuntimeError: broken\n'
    )
    file = tmp_path / "error.txt"
    assert start_failure(None) is start_failure(str(file)) is None
    for text, expected in ((died + failed, "RuntimeError: broken"), (failed + died, None), ("", None)):
        file.write_text(text)
        assert start_failure(str(file)) == expected
