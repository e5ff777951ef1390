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


def layer(module):
    """Return the package that a module is in; settings of a package are a layer below the rest of it."""
    _, part, *inner = module.split(".")
    return f"{part}.settings" if inner[:1] == ["settings"] else part


def users_of(package):
    """The top-level packages and modules that import from a package, apart from itself."""
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


def test_reporting_is_imported_by_commands_alone():
    assert users_of("harness.reporting") <= {"commands", "bench"}


def test_ray_is_imported_for_tuning_alone():
    assert users_of("ray") == {"tuning"}


def test_search_imports_neither_torch_nor_ray_nor_what_uses_it():
    others = {name for file in (HERE / "search").glob("*.py") for name in imported(file)}
    assert not {name for name in others if name.split(".")[0] in ("torch", "ray", "pandas")}
    own = {layer(name) for name in others if name.startswith("harness.")}
    assert own <= {"search", "errors", "settings", "validation"}
