from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import HarnessError, HarnessWarning
from harness.tuning.ray_session import LONGEST_SOCKET, ray_session, require_ray_directories_writable


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", "/tmp")


def sockets(folder: Path) -> Path:
    return folder / "session_2026-11-28_18-33-57_965296_4194304" / "sockets" / "plasma_store"


@pytest.mark.parametrize("length", [4, 30, 60, 200])
def test_session_folder_is_short_enough_for_sockets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, length: int
) -> None:
    """The temporary directory of a batch system may have a long path."""
    place = Path("/tmp") / ("x" * max(0, length - 5))
    existed = place.exists()
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(place))
    try:
        with ray_session("") as session:
            assert len(str(sockets(session.folder))) <= LONGEST_SOCKET
            assert session.folder.is_dir()
    finally:
        if not existed:
            place.rmdir() if place.exists() else None


@pytest.mark.usefixtures("short")
def test_session_folder_after_success_is_removed() -> None:
    with ray_session("") as session:
        (session.folder / "log").write_text("all is well")
    assert not session.folder.exists()


@pytest.mark.usefixtures("short")
def test_session_folder_after_a_failure_is_kept_and_named() -> None:
    with pytest.warns(HarnessWarning) as warned, pytest.raises(RuntimeError), ray_session("") as session:
        raise RuntimeError("Ray is gone")
    assert str(warned[0].message) == f"Ray's logs are kept in {session.folder}"
    session.folder.rmdir()


@pytest.mark.usefixtures("short")
def test_session_folder_after_an_interrupt_is_removed() -> None:
    with pytest.raises(KeyboardInterrupt), ray_session("") as session:
        raise KeyboardInterrupt
    assert not session.folder.exists()


def test_require_ray_directories_writable_on_a_full_disk_names_the_folder(
    monkeypatch: pytest.MonkeyPatch, short: None
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1000))
    with pytest.raises(HarnessError, match="/tmp: less than 50 MB are free"):
        require_ray_directories_writable()


def test_require_ray_directories_writable_in_an_unwritable_directory_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_TMPDIR", "file/x")
    monkeypatch.setattr(Path, "absolute", lambda path: Path("/short"))
    with pytest.raises(HarnessError, match="Ray needs a directory for its files"):
        require_ray_directories_writable()
