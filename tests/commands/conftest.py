import os
from collections.abc import Iterator

import pytest

from tests.datasets.conftest import generated, own_directories
from tests.storage.conftest import s3_bucket, s3_endpoint

__all__ = ["generated", "own_directories", "s3_bucket", "s3_endpoint"]


@pytest.fixture(autouse=True)
def _authentication_mode() -> Iterator[None]:
    """Undo what `--address` sets for the whole process, where later tests start a Ray of their own."""
    before = os.environ.get("RAY_AUTH_MODE")
    yield
    if before is None:
        os.environ.pop("RAY_AUTH_MODE", None)
    else:
        os.environ["RAY_AUTH_MODE"] = before
