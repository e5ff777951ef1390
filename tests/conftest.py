"""Settings of all tests."""

import signal

import hypothesis

# A shell starts what it puts into the background deaf to Ctrl-C, nohup to a hang-up, and so would be all that
# tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes depends on the machine.
hypothesis.settings.register_profile("harness", deadline=None)
hypothesis.settings.load_profile("harness")
