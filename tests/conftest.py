"""What holds for all tests."""

import signal

# A shell starts what it puts into the background deaf to Ctrl-C, nohup to a hang-up, and so would be all that
# tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
