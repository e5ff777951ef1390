from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets.conftest import generated
from tests.faults import fake
from tests.faults.sweep import end_started_processes
from tests.storage.conftest import s3_bucket, s3_endpoint

__all__ = ["generated", "s3_bucket", "s3_endpoint"]


@pytest.fixture(autouse=True)
def _end_processes() -> Iterator[None]:
    yield
    end_started_processes()


@pytest.fixture
def fast_fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make fake trainers in this process not wait, and fail as files in `faults` say."""
    monkeypatch.setattr(fake, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(fake, "FAULTS", str(tmp_path / "faults"))
    (tmp_path / "faults").mkdir()


@pytest.fixture
def target(tmp_path: Path) -> str:
    return str(tmp_path / "results")
