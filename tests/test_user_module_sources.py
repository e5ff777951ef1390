import hashlib

import pytest

from harness.user_modules import source_digest


@pytest.fixture
def write(tmp_path):
    """Writes source files below a folder, and returns the digest of the first one's module."""

    def write(files, folder=tmp_path, module="mine"):
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return source_digest(module, folder / next(iter(files)))

    return write


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "source", ["import torch\n", "from harness.algorithms import Batch\n", "import unwritten\n", "from\n"]
)
def test_digest_of_a_module_without_own_imports_is_that_of_its_file(write, source):
    others = {"torch_helper.py": "", "harness/__init__.py": "", "harness/algorithms.py": ""}
    assert write({"mine.py": source, **others}) == sha256(source)


@pytest.mark.parametrize(
    ("statement", "helper"),
    [
        ("import layers", "layers.py"),
        ("import torch, layers as own", "layers.py"),
        ("from layers import *", "layers.py"),
        ("def late():\n    from layers import Layer", "layers.py"),
        ("import nets.layers", "nets/layers.py"),
        ("from nets import layers", "nets/layers.py"),
        ("from nets import layers", "nets/layers/__init__.py"),
        ("from nets import LAYERS", "nets/__init__.py"),
        ("import between", "layers.py"),
    ],
)
def test_digest_changes_with_a_file_that_is_imported_from_the_same_folder(write, statement, helper):
    files = {"mine.py": statement, "between.py": "import mine, layers\n"}
    before = write({**files, helper: "SIZE = 1\n"})
    assert write({**files, helper: "SIZE = 1\n"}) == before
    assert write({**files, helper: "SIZE = 2\n"}) != before
    assert write({**files, helper: "SIZE = 1\n", "unused.py": "import mine\n"}) == before


@pytest.mark.parametrize(
    ("statement", "helper"),
    [
        ("from .layers import Layer", "my_lab/nets/layers.py"),
        ("from . import layers", "my_lab/nets/layers.py"),
        ("from . import SIZE", "my_lab/nets/__init__.py"),
        ("from ..layers import Layer", "my_lab/layers.py"),
        ("import my_lab.layers", "my_lab/layers.py"),
        ("import shared", "shared.py"),
    ],
)
def test_digest_changes_with_a_file_that_is_imported_from_the_same_package(write, statement, helper):
    own = {"my_lab/nets/iql.py": statement}
    before = write({**own, helper: "SIZE = 1\n"}, module="my_lab.nets.iql")
    assert write({**own, helper: "SIZE = 2\n"}, module="my_lab.nets.iql") != before


def test_digest_of_an_installed_package_leaves_out_others(write, tmp_path):
    installed = tmp_path / "site-packages"
    own = {"my_lab/iql.py": "import other, my_lab.layers\n"}
    before = write({**own, "my_lab/layers.py": "1", "other.py": "1"}, installed, "my_lab.iql")
    assert write({**own, "other.py": "2"}, installed, "my_lab.iql") == before
    assert write({**own, "my_lab/layers.py": "2"}, installed, "my_lab.iql") != before


def test_digest_does_not_depend_on_where_the_folder_is(write, tmp_path):
    files = {"mine.py": "import layers\n", "layers.py": "from ......... import far\n"}
    assert write(files, tmp_path / "one") == write(files, tmp_path / "two" / "deeper")
