from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.sweep import end_what_is_left
from tests.storage.conftest import s3_bucket, s3_endpoint

__all__ = ["s3_bucket", "s3_endpoint"]


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    yield
    end_what_is_left()
