"""Reading and writing YAML 1.2, in which `off` and `no` are text and `1e6` is a number.

Errors take one line, and duplicate keys are refused.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

MAX_BYTES = 2 * 2**20


class NotYamlError(Exception):
    """The text is not YAML that can be read.

    Attributes:
        line: the line of the problem, counted from 1; None if it is unknown.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def read_text(path: Path) -> str:
    """Read the text of a YAML file.

    Raises:
        NotYamlError: if it is larger than `MAX_BYTES`.
        OSError, UnicodeDecodeError: if it cannot be read as text.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    _check_size(len(content))
    return content.decode("utf-8")


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
        raise NotYamlError(" ".join(problem.split()), mark.line + 1 if mark else None) from None
    except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
        raise NotYamlError(f"a value cannot be read: {error}") from None
    except RecursionError:
        raise NotYamlError("nested too deeply") from None


def dump(value: Any) -> str:
    """Write plain Python values as a YAML document, mappings in their own order."""
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
    """Leaves dates the text that they are in the file: no setting is a date."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
