"""Stores for tests: directories, memory, and an S3-compatible server on this machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from harness.storage.stores import Store, open_store


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Start an S3-compatible server on this machine; clients find it by environment variables, as usual."""
    moto_server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    s3fs.S3FileSystem().mkdir(bucket)
    return f"s3://{bucket}"


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a directory, or another kind of store in tests marked as `in_every_store`."""
    kind = getattr(request, "param", "directory")
    if kind == "memory":
        return open_store(f"memory://{uuid.uuid4().hex}/results")
    if kind == "s3":
        return open_store(request.getfixturevalue("s3_bucket") + "/some/results")
    return open_store(tmp_path_factory.mktemp("results") / "nested" / "folder")
