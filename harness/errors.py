"""The one exception that a user's mistake raises, and the one warning that a user sees."""


class HarnessError(Exception):
    """A mistake that the user can mend: one line that names the thing and the mend.

    The command line prints the message alone and exits with status 2.
    """


class HarnessWarning(UserWarning):
    """What goes on otherwise than the user may think: one line that names the thing and the mend."""
