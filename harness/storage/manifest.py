"""The manifest of a results directory: the runs, what they ran with, and the digests of files."""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from harness.errors import HarnessError
from harness.storage.stores import Store

MANIFEST = "manifest.json"


class Run(TypedDict, total=False):
    """One `harness run` or `harness resume`, and what it ran with."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    started: str
    ended: str | None
    """None while the run continues, and if it was killed."""
    address: str | None
    git_commit: str | None
    versions: dict[str, str]
    machine: dict[str, Any]
    module_folders: list[str]
    """The folders in which the user's own modules were searched."""
    driver: int
    """The number of the driver's lease."""
    selected: list[str] | None
    """Keys of the trials that were selected for this run; None for all requested ones."""


class DatasetFacts(TypedDict, total=False):
    """What runs have recorded about a dataset."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    digest: str
    """SHA-256 of its transitions."""
    transitions: int
    environment: Any
    environment_source: str
    """SHA-256 of the source of its environment, if that is the user's."""


class Manifest(TypedDict, total=False):
    """The content of manifest.json."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    runs: list[Run]
    experiments: list[str]
    """Digest of every experiment that the directory has held; the last one is the current one."""
    requested: list[str] | None
    """Keys of the trials that any run has requested; None for all trials of the experiment."""
    datasets: dict[str, DatasetFacts]
    files: dict[str, str]
    """SHA-256 of each file that was assembled from the trials."""
    stopped: dict[str, int]
    """By key, the rung of halving at which the sample of a trial was stopped."""


_MANIFEST = TypeAdapter(Manifest)


def parse(data: bytes | None, store: Store) -> Manifest:
    """Parse the bytes of a manifest file, which may not exist; raise a HarnessError if it is damaged."""
    try:
        return _MANIFEST.validate_python(json.loads(data or b"{}"))
    except (ValueError, ValidationError, RecursionError):
        raise HarnessError(
            f"{store.target}/{MANIFEST} is damaged; remove it and write a new one with: harness resume "
            f"{shlex.quote(store.target)}"
        ) from None


def read(store: Store) -> Manifest:
    """Read the manifest of a results directory, as `parse`."""
    return parse(store.read(MANIFEST), store)


def require_intact(manifest: Manifest, store: Store, name: str, data: bytes) -> None:
    """Raise a HarnessError unless an assembled file matches its digest, if the manifest has one."""
    if not is_intact(manifest, name, data):
        raise HarnessError(f"{store.target}/{name} is damaged: its SHA-256 does not match {MANIFEST}")


def is_intact(manifest: Manifest, name: str, data: bytes) -> bool:
    """Return whether an assembled file matches its digest, if the manifest has one."""
    digest = manifest.get("files", {}).get(name)
    return digest is None or digest == hashlib.sha256(data).hexdigest()


def dumps(manifest: Manifest) -> bytes:
    """Return the manifest as the bytes of its file."""
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
