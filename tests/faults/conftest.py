from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.sweep import Sweep, end_started_processes
from tests.storage.conftest import s3_bucket, s3_endpoint

__all__ = ["s3_bucket", "s3_endpoint"]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """Return the tables of an undisturbed run."""
    sweep = Sweep(tmp_path_factory.mktemp("undisturbed"), environment={"HARNESS_TEST_STEP_SECONDS": "0"})
    sweep.finish(sweep.start())
    return sweep.tables()


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


@pytest.fixture(autouse=True)
def _end_processes() -> Iterator[None]:
    yield
    end_started_processes()
