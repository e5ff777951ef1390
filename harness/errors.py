"""The one exception that a user's mistake raises, and the one warning that a user sees."""


class HarnessError(Exception):
    """A mistake that the user can correct: one line that says what is wrong, where, and what to do.

    The command line prints the message alone and exits with status 2.
    """


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class HarnessWarning(UserWarning):
    """Something happens otherwise than the user may expect: one line that says what, and what to do."""
