import os

import pytest

from harness import machine


@pytest.mark.parametrize(("counted", "cores"), [(7, 7), (None, 1)])
def test_cores_without_process_affinity_counts_all(monkeypatch, counted, cores):
    """macOS has no process affinity."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert machine.cores() == cores


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no process affinity")
def test_cores_counts_those_available_to_the_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert machine.cores() == 2
