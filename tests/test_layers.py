"""Tests of which modules may import which others: imports have one direction."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import harness
from harness.algorithms.registry import BUILT_IN
from harness.cli import VERBS

HERE = Path(harness.__file__).parent


def imported(file):
    """Return the modules that a file imports, including imports inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def layer(module):
    """Return the package of a module; the settings of a package are a layer below the rest of it."""
    _, part, *inner = module.split(".")
    return f"{part}.settings" if inner[:1] == ["settings"] else part


def users_of(package):
    """Return the other top-level packages and modules that import from a package."""
    return {
        file.relative_to(HERE).parts[0]
        for file in HERE.rglob("*.py")
        if any(f"{name}.".startswith(f"{package}.") for name in imported(file))
    } - {package.split(".")[-1]}


def test_imports_between_layers_form_no_cycle():
    graph = {}
    for file in HERE.rglob("*.py"):
        name = ".".join(["harness", *file.relative_to(HERE).with_suffix("").parts])
        others = {layer(name) for name in imported(file) if name.startswith("harness.")}
        graph.setdefault(layer(name), set()).update(others - {layer(name)})
    TopologicalSorter(graph).prepare()


def test_reporting_is_imported_only_by_commands():
    assert users_of("harness.reporting") <= {"commands", "bench"}


def test_ray_is_imported_only_for_tuning():
    assert users_of("ray") == {"tuning"}


def test_search_does_not_import_torch_or_ray():
    others = {name for file in (HERE / "search").glob("*.py") for name in imported(file)}
    assert not {name for name in others if name.split(".")[0] in ("torch", "ray", "pandas")}
    own = {layer(name) for name in others if name.startswith("harness.")}
    assert own <= {"search", "errors", "validation"}


@pytest.mark.parametrize(
    "package",
    [
        "algorithms",
        "algorithms/fused",
        "commands",
        "datasets",
        "environments",
        "policies",
        "reporting",
        "reporting/figures",
        "reporting/selection",
        "reporting/tables",
        "search",
        "storage",
        "training",
        "tuning",
    ],
)
def test_docstring_of_a_package_names_its_modules(package):
    folder = HERE / package
    found = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/*.py")}
    named = re.findall(r"\w+", ast.get_docstring(ast.parse((folder / "__init__.py").read_text())))
    elsewhere = {*BUILT_IN, *(verb.replace("-", "_") for verb in VERBS), "__init__"}
    assert found - set(named) <= elsewhere
