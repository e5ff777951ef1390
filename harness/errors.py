"""The exception for mistakes of the user, and the warnings that users see."""


class HarnessError(Exception):
    """A mistake that the user can correct: its one-line message states what is wrong, where, and what to do.

    The command line prints only the message, without a traceback, and exits with status 2.
    """


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class HarnessWarning(UserWarning):
    """A one-line note on behaviour that the user may not expect, and what to do about it."""
