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
def test_first_backend_that_works_is_chosen(monkeypatch, present, expected):
    monkeypatch.setenv("MUJOCO_GL", "")  # undone after the test
    works(monkeypatch, *present)
    assert chosen() == expected


def test_machine_without_a_renderer_gets_one_line(monkeypatch):
    works(monkeypatch)
    with pytest.raises(HarnessError, match=r"cannot render on this machine: .* libegl1 or libosmesa6"):
        opengl.choose_backend()


@pytest.mark.parametrize("name", ["DISPLAY", "MUJOCO_GL"])
def test_screens_and_what_the_user_has_set_are_left_alone(monkeypatch, name):
    works(monkeypatch)
    monkeypatch.setenv(name, "glfw")
    assert chosen() == ("glfw" if name == "MUJOCO_GL" else None)
    opengl.require_backend()


def test_backend_of_the_user_that_does_not_work_is_named(monkeypatch):
    works(monkeypatch, "egl")
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    with pytest.raises(HarnessError, match="MUJOCO_GL is osmesa, which does not work here"):
        opengl.require_backend()


def test_backend_that_is_not_there_does_not_work():
    assert not opengl._works("absent")
