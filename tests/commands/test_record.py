"""`harness record` and `harness report --films`, as a user types them."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from harness import cli
from tests.commands.policies import write_results

pytest.importorskip("pygame")


@pytest.fixture(autouse=True)
def _in_an_empty_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "small")


def said(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    return status, capsys.readouterr()


def test_grid_shows_all_variants_side_by_side(capsys, directory):
    status, text = said(
        capsys, "record", directory, "--only", "seed=0", "--grid", "--height", 32, "--output", "x.gif"
    )
    assert (status, text.out) == (0, "x.gif\n")
    with Image.open("x.gif") as film:
        assert film.width == 2 * 32
        assert film.n_frames >= 6


def test_single_file_is_filmed_to_the_end_of_its_episodes(capsys, directory):
    policy = next(directory.glob("trials/bc--*--1/policy.npz"))
    arguments = ("--episodes", 2, "--height", 16, "--output", "x.gif")
    assert said(capsys, "record", policy, *arguments)[0] == 0
    with Image.open("x.gif") as film:
        assert film.n_frames == 2 * 6  # that the last frame is held shows in its duration


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("{}", "--output", "x.avi"), "x.avi: unsupported format; write an .mp4 or .gif file"),
        (("{}", "--only", "seed=9", "--output", "x.gif"), "no seed 9"),
        (
            ("{}", "--environment", "Hopper-v4", "--output", "x.gif"),
            "those of environment Hopper-v4 have shape (11,)",
        ),
    ],
)
def test_bad_input_gets_one_line(capsys, directory, tmp_path, arguments, complaint):
    status, text = said(capsys, "record", *(each.format(directory) for each in arguments))
    assert status == 2
    assert text.err.count("\n") == 1
    assert complaint in text.err
    assert list(tmp_path.iterdir()) == []


def test_report_holds_a_film_of_each_dataset(capsys, directory, monkeypatch):
    monkeypatch.setattr("harness.reporting.figures.figure_names", lambda results: [])
    status, text = said(capsys, "report", directory, "--films", "--output", "report.html")
    assert status == 0, text.err
    page = Path("report.html").read_text(encoding="utf-8")
    assert page.count('<figure class="film">') == 1
    assert 'src="data:video/mp4;base64,' in page or 'src="data:image/gif;base64,' in page
    assert "One episode of the policy of each algorithm (seed 0) in Pendulum-v1" in page


def test_report_on_a_file_has_no_policies_to_film(capsys, directory, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("algorithm,dataset,seed,step,return\nbc,x,0,1,1\n")
    status, text = said(capsys, "report", file, "--films")
    assert status == 2
    assert "--films needs a results directory with policies" in text.err


def _mujoco_draws():
    from harness.films import opengl

    return any(map(opengl._works, opengl.BACKENDS))


@pytest.mark.slow
def test_mujoco_is_filmed_without_a_screen(tmp_path):
    if not _mujoco_draws():
        pytest.skip("neither EGL nor OSMesa works here")
    from tests.commands.policies import hopper_policy

    (tmp_path / "hopper.npz").write_bytes(hopper_policy())
    command = [sys.executable, "-m", "harness", "record", "hopper.npz", "--height", "32", "--output", "x.gif"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "x.gif") as film:
        assert len(film.convert("RGB").getcolors(10_000)) > 20
