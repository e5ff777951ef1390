from __future__ import annotations

import pkgutil
import re
from types import ModuleType

import pytest

from harness import storage, tuning


@pytest.mark.parametrize("package", [storage, tuning])
def test_docstring_of_the_package_lists_every_module(package: ModuleType) -> None:
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert modules - set(re.findall(r"\w+", package.__doc__ or "")) == set()
