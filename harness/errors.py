"""The one exception that a user's mistake raises."""


class HarnessError(Exception):
    """A mistake that the user can mend: one line that names the thing and the mend.

    The command line prints the message alone and exits with status 2.
    """
