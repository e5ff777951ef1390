import getpass
import json
import platform
import socket
import sys
from importlib.metadata import PackageNotFoundError

from harness import __version__
from harness.cli import main


def test_info_has_versions_and_no_names_of_people_and_machines(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    for private in (socket.gethostname(), getpass.getuser()):
        assert private not in shown.split()
    facts = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert facts["harness"] == __version__
    assert facts["python"].startswith(platform.python_version())


def test_info_as_json_names_what_is_not_installed(capsys, monkeypatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["click>=8", "no-such-package>=1"])
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["no-such-package"] == "not installed"
    assert facts["GPUs"].startswith("unknown, torch cannot be imported")


def test_info_in_a_folder_that_is_not_installed_names_the_main_packages(capsys, monkeypatch):
    def requires(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.requires", requires)
    assert main(["info", "--json"]) == 0
    assert "torch" in json.loads(capsys.readouterr().out)
