"""Who may import whom: the way of the data is one direction."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import harness

HERE = Path(harness.__file__).parent


def imported(file):
    """The modules that a file names, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_packages_and_modules_form_no_cycle():
    graph = {}
    for file in HERE.rglob("*.py"):
        part = file.relative_to(HERE).parts[0].removesuffix(".py")
        others = {name.split(".")[1] for name in imported(file) if name.startswith("harness.")}
        graph.setdefault(part, set()).update(others - {part})
    TopologicalSorter(graph).prepare()


def test_ray_is_imported_for_tuning_alone():
    users = {
        file.relative_to(HERE).parts[0]
        for file in HERE.rglob("*.py")
        if any(name.split(".")[0] == "ray" for name in imported(file))
    }
    assert users == {"tuning"}
