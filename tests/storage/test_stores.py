from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.storage.stores import DirectoryStore, StorageError, Store, map_concurrently, open_store
from tests.storage.make import in_every_store


@in_every_store
def test_read_returns_what_was_written(store: Store) -> None:
    assert store.read("trials/a/x.json") is None
    store.write("trials/a/x.json", b"one")
    store.write("trials/a/x.json", b"two")
    store.write("trials/b/y.json", b"")
    assert store.read("trials/a/x.json") == b"two"
    assert store.read("trials/b/y.json") == b""
    assert store.names() == ["trials/a/x.json", "trials/b/y.json"]
    assert store.names("trials/a") == ["trials/a/x.json"]
    assert store.names("elsewhere") == []


@in_every_store
def test_write_that_is_not_lasting_does_not_sync_the_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("waited"))
    store.write("x", b"1", lasting=False)
    assert store.read("x") == b"1"


@in_every_store
def test_open_store_twice_opens_the_same_files(store: Store) -> None:
    store.write("x", b"1")
    assert open_store(store.target).read("x") == b"1"


@in_every_store
def test_map_concurrently_returns_results_in_order(store: Store) -> None:
    for number in range(40):
        store.write(f"x{number}", str(number).encode())
    names = [f"x{number}" for number in range(41)]
    assert map_concurrently(store, store.read, names) == [
        *(str(number).encode() for number in range(40)),
        None,
    ]


def test_map_concurrently_over_an_object_store_reads_in_parallel() -> None:
    store = open_store("memory://anywhere")
    together = threading.Barrier(store.readers, timeout=30)
    arrived = map_concurrently(store, lambda _: together.wait(), range(store.readers))
    assert sorted(arrived) == list(range(store.readers))


def test_map_concurrently_raises_the_error_of_one_item(s3_bucket: str) -> None:
    store = open_store("s3://no-such-bucket-here/r")
    with pytest.raises(StorageError, match="no-such-bucket-here"):
        map_concurrently(store, lambda name: store.write(name, b"1"), ["a", "b"])


@in_every_store
def test_remove_of_a_missing_file_does_nothing(store: Store) -> None:
    store.write("x", b"1")
    store.remove("x")
    store.remove("x")
    assert store.read("x") is None
    assert store.names() == []


@in_every_store
def test_create_of_an_existing_file_returns_false(store: Store) -> None:
    assert store.create("lock", b"mine")
    assert not store.create("lock", b"theirs")
    assert store.read("lock") == b"mine"


@in_every_store
def test_create_by_many_at_once_succeeds_for_one(store: Store) -> None:
    barrier = threading.Barrier(8)
    outcomes = []

    def race(number: int) -> None:
        mine = open_store(store.target)
        barrier.wait()
        outcomes.append((mine.create("lock", str(number).encode()), number))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for won, number in outcomes if won]
    assert len(winners) == 1
    assert store.read("lock") == str(winners[0]).encode()


def test_write_that_fails_leaves_the_previous_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DirectoryStore(str(tmp_path))
    store.write("result", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"cannot write result .No space left on device.; free some space"):
        store.write("result", b"new")
    assert store.read("result") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_names_omits_unfinished_files(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path))
    (tmp_path / ".result.0123.tmp").write_bytes(b"half")
    assert store.names() == []


def test_write_to_an_invalid_path_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/results: cannot write x"):
        open_store(tmp_path / "file" / "results").write("x", b"")


def test_write_to_a_missing_bucket_names_it(s3_bucket: str) -> None:
    with pytest.raises(HarnessError, match="s3://no-such-bucket-here/r: cannot write x"):
        open_store("s3://no-such-bucket-here/r").write("x", b"1")


def test_open_store_with_an_unknown_scheme_names_it() -> None:
    with pytest.raises(HarnessError, match="nosuch://bucket"):
        open_store("nosuch://bucket/r")


def test_open_store_of_a_file_url_opens_a_directory(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/r").write("x", b"1")
    assert (tmp_path / "r" / "x").read_bytes() == b"1"
