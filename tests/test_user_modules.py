from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.user_modules import folders_of, folders_of_results, hidden_file, load, make_importable


def test_folders_are_the_experiments_and_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folders_of("lab/point.yaml") == (str(tmp_path / "lab"), str(tmp_path))
    assert folders_of("point.yaml") == (str(tmp_path),)


@pytest.mark.parametrize("first", ["", "folder", "/other"])
def test_own_modules_are_found_after_everything_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """`python -m` puts the current folder first, the console script does not have it at all."""
    folder = str(tmp_path)
    entry = folder if first == "folder" else first
    monkeypatch.setattr(sys, "path", [entry, "/site-packages"])
    make_importable([folder])
    make_importable([folder])
    assert sys.path == [*(["/other"] if first == "/other" else []), "/site-packages", folder]


def test_folders_inside_a_results_directory_are_not_searched_for_modules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results, lab = tmp_path / "results", tmp_path / "lab"
    recorded = [str(lab), str(results / "trials"), str(results)]
    assert folders_of_results(recorded, "results") == [str(lab), str(tmp_path)]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a module into a folder that Python searches last."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def write(text: str, file: str = "own_module.py") -> Path:
        (tmp_path / file).write_text(text)
        return tmp_path / file

    yield write
    for name in ("own_module", "own_helper"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\nname\n", "own_module.py:2: NameError: name 'name' is not defined"),
        ("\n\nx = = 1\n", "own_module.py:3: SyntaxError: invalid syntax"),
        (
            "import no_such_library\n",
            "own_module.py:1: ModuleNotFoundError: No module named 'no_such_library'",
        ),
        ("from json import no\n", "own_module.py:1: ImportError: cannot import name 'no' from 'json'"),
        ("import json\njson.loads('')\n", "own_module.py:2: JSONDecodeError: Expecting value"),
        ("import own_helper\n", "own_helper.py:1: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "own_module.py:2: SystemExit: 3"),
        (
            "from harness.errors import HarnessError\nraise HarnessError('no, because')\n",
            "own_module.py:2: no, because",
        ),
    ],
)
def test_exception_while_a_users_module_is_imported_names_file_and_line(write, text, reason):
    folder = write(text).parent
    write("1 / 0\n", "own_helper.py")
    with pytest.raises(HarnessError) as caught:
        load("own_module")
    assert str(caught.value).startswith(f"cannot import own_module ({folder}/{reason}")


def test_module_that_does_not_exist_is_said_to_be_searched_next_to_the_experiment(write):
    with pytest.raises(
        HarnessError, match=r"cannot import no_lab.iql \(Mod.*\); install it, or put it next to"
    ):
        load("no_lab.iql")


@pytest.mark.parametrize(("name", "source"), [("json", "json/__init__.py"), ("time", "Python itself")])
def test_file_that_another_module_hides_is_named(write, name, source):
    assert hidden_file(name) == ""
    file = write("", f"{name}.py")
    assert f"{source}, which hides {file}: rename that file" in hidden_file(name)


def test_file_that_is_used_is_not_said_to_be_hidden(write):
    write("")
    load("own_module")
    assert hidden_file("own_module") == hidden_file("no_such_module") == ""


@pytest.mark.parametrize(
    ("name", "module"), [("own_module.py", "own_module"), ("lab/own_module", "lab.own_module")]
)
def test_module_named_like_a_file_is_reported_with_its_name_in_an_import(write, name, module):
    write("")
    with pytest.raises(HarnessError, match=rf"; name the module as in an import: {module}$"):
        load(name)
