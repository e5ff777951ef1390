import pytest

from harness.errors import HarnessError
from harness.films import opengl


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(opengl.sys, "platform", "linux")


def works(monkeypatch, *names):
    monkeypatch.setattr(opengl, "_works", lambda backend: backend in names)


def chosen():
    opengl.choose_backend()
    return opengl.os.environ.get("MUJOCO_GL")


@pytest.mark.parametrize(("present", "expected"), [(("egl", "osmesa"), "egl"), (("osmesa",), "osmesa")])
def test_choose_backend_takes_the_first_that_works(monkeypatch, present, expected):
    monkeypatch.setenv("MUJOCO_GL", "")  # undone after the test
    works(monkeypatch, *present)
    assert chosen() == expected


def test_choose_backend_without_a_renderer_raises_one_line(monkeypatch):
    works(monkeypatch)
    with pytest.raises(HarnessError, match=r"cannot render on this machine: .* libegl1 or libosmesa6"):
        opengl.choose_backend()


@pytest.mark.parametrize("name", ["DISPLAY", "MUJOCO_GL"])
def test_choose_backend_respects_displays_and_user_settings(monkeypatch, name):
    works(monkeypatch)
    monkeypatch.setenv(name, "glfw")
    assert chosen() == ("glfw" if name == "MUJOCO_GL" else None)
    opengl.require_backend()


def test_require_backend_names_a_backend_that_does_not_work(monkeypatch):
    works(monkeypatch, "egl")
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    with pytest.raises(HarnessError, match="MUJOCO_GL is osmesa, which does not work here"):
        opengl.require_backend()


def test_works_of_a_missing_backend_is_false():
    assert not opengl._works("absent")
