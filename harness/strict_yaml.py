"""YAML as people write it: what cannot be read gets one line, and nothing is taken for something else."""

from __future__ import annotations

from typing import Any

import yaml

from harness.validation import short


class NotYamlError(Exception):
    """The text is not valid YAML.

    Args:
        line: where, counted from 1, if that is known.
    """

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.line = line


def read(text: str) -> Any:
    """
    Raises:
        NotYamlError: saying in one line what is wrong.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise NotYamlError(problem, mark.line + 1 if mark else None) from None
    except RecursionError:
        raise NotYamlError("nested too deeply", None) from None


class _Loader(yaml.SafeLoader):
    """Refuses a mapping with a key that is there twice, of which PyYAML takes the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        first: dict[tuple[str, str], yaml.ScalarNode] = {}
        for key in keys:
            before = first.setdefault((key.tag, key.value), key)
            if before is not key:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value} is there twice, first in line {before.start_mark.line + 1}",
                    problem_mark=key.start_mark,
                )
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """PyYAML lets through what Python says of a 13th month or a number of thousands of digits."""
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str):
                value.encode()  # half a surrogate pair could not be written anywhere
        except (ArithmeticError, AttributeError, LookupError, ValueError):
            problem = f"{short(node.value)} is no valid {node.tag.rpartition(':')[2]}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None
        return value
