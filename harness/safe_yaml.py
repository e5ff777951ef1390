"""Reads and writes YAML 1.2, in which `off` and `no` are text and `1e6` is a number.

Errors are one line, duplicate keys are rejected, and the expansion of aliases is bounded, so that a short
file cannot become gigabytes.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_BYTES = 2 * 2**20
MAX_VALUES = 1_000_000
"""The most values in a document after its aliases are expanded."""


class NotYamlError(Exception):
    """Raised if a text cannot be read as YAML.

    Attributes:
        line: the line of the problem, counted from 1; None if it is unknown.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def read_text(path: Path) -> str:
    """Read the text of a YAML file.

    Raises:
        FileNotFoundError: if the file does not exist.
        NotYamlError: if it cannot be read, is not text, or is larger than `MAX_BYTES`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        _check_size(len(content))
        return content.decode("utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotYamlError(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise NotYamlError(f"not UTF-8 text, at byte {error.start:,}") from None


def read(text: str) -> Any:
    """Read a YAML document as plain Python values.

    Raises:
        NotYamlError: if it is larger than `MAX_BYTES` or not valid YAML, in one line.
    """
    _check_size(len(text))
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        if problem.startswith("but "):
            problem = f"{getattr(error, 'context', '')}, {problem}"
        raise NotYamlError(problem, mark.line + 1 if mark else None) from None
    except RecursionError:
        raise NotYamlError("nested too deeply, or an alias refers to a value that contains it") from None


def dump(value: Any) -> str:
    """Write plain Python values as a YAML document; mappings keep their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise NotYamlError(f"larger than {MAX_BYTES / 2**20:.0f} MiB")


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
    children = (
        node.value if isinstance(node, SequenceNode) else [child for pair in node.value for child in pair]
    )
    size = 1 + sum(_expanded_size(child, known) for child in children)
    if size > MAX_VALUES:
        raise _problem(f"aliases expand to more than {MAX_VALUES:,} values", node)
    known[node] = size
    return size


def _problem(text: str, node: Node) -> MarkedYAMLError:
    return ConstructorError(problem=text, problem_mark=node.start_mark)
