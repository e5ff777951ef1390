"""Reads and writes YAML 1.2, in which `off` and `no` are text and `1e6` is a number.

Errors are one line, duplicate keys are rejected, and the expansion of aliases is bounded, so that a short
file cannot become gigabytes.
"""

from __future__ import annotations

import io
from itertools import chain
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.errors import HarnessError

MAX_BYTES = 2 * 2**20
MAX_VALUES = 1_000_000
"""The most values in a document after its aliases are expanded."""


def read_text(path: Path) -> str:
    """Read the text of a YAML file.

    Raises:
        HarnessError: if it is not UTF-8 text.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)  # `read` rejects what is larger
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HarnessError(f"{path}: cannot be read (not UTF-8 text, at byte {error.start:,})") from None


def read_file(path: Path) -> Any:
    """Read a YAML file as plain Python values, with the errors of `read_text` and `read`."""
    return read(read_text(path), str(path))


def read(text: str, source: str) -> Any:
    """Read a YAML document as plain Python values; `source` says in errors where it is from."""
    if len(text) > MAX_BYTES:
        raise HarnessError(f"{source}: larger than {MAX_BYTES / 2**20:.0f} MiB")
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        if problem.startswith("but "):
            problem = f"{getattr(error, 'context', '')}, {problem}"
        if "'\\t'" in problem:
            problem = "it has a tab where YAML requires spaces"
        line = f", line {mark.line + 1}" if mark else ""
    except RecursionError:
        problem, line = "nested too deeply, or an alias refers to a value that contains it", ""
    raise HarnessError(f"{source}{line}: not valid YAML ({problem})")


def dump(value: Any) -> str:
    """Write plain Python values as a YAML document; mappings keep their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()


class _Constructor(SafeConstructor):
    """Rejects duplicate keys, and aliases that expand without bound."""

    def construct_document(self, node: Node) -> Any:
        _expanded_size(node, {})
        return super().construct_document(node)

    def check_mapping_key(
        self, node: MappingNode, key_node: Node, mapping: Any, key: Any, value: Any
    ) -> bool:
        if key in mapping:
            first = next(other for other, _ in node.value if other.value == key_node.value)
            raise _problem(f"duplicate key {key}, first in line {first.start_mark.line + 1}", key_node)
        return True


# Dates stay text, because no setting is a date.
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _expanded_size(node: Node, known: dict[Node, int]) -> int:
    """Count the values under a node with every alias expanded; `known` holds the counts of nodes seen before.

    Raises:
        RecursionError: if an alias refers to a value that contains it.
    """
    if isinstance(node, ScalarNode):
        return 1
    if node in known:
        return known[node]
    children = node.value if isinstance(node, SequenceNode) else chain.from_iterable(node.value)
    size = 1 + sum(_expanded_size(child, known) for child in children)
    if size > MAX_VALUES:
        raise _problem(f"aliases expand to more than {MAX_VALUES:,} values", node)
    known[node] = size
    return size


def _problem(text: str, node: Node) -> MarkedYAMLError:
    return ConstructorError(problem=text, problem_mark=node.start_mark)
