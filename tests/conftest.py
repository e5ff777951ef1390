"""Settings of all tests."""

import os
import signal

import hypothesis
import pytest

# A shell lets processes in the background ignore Ctrl-C, and nohup hang-ups; so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes depends on the machine.
hypothesis.settings.register_profile("harness", deadline=None)
hypothesis.settings.load_profile("harness")


@pytest.fixture(autouse=True)
def _files_are_not_synced(monkeypatch):
    """Leave files to the operating system: no test cuts the power, and a disk takes milliseconds for each."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
