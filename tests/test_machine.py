import os

import pytest

from harness import machine


@pytest.mark.parametrize(("counted", "cores"), [(7, 7), (None, 1)])
def test_cores_where_the_system_pins_no_process(monkeypatch, counted, cores):
    """As on macOS."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert machine.cores() == cores


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system pins no process")
def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert machine.cores() == 2
