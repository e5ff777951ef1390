"""List every message of the package: raised errors, printed lines and help texts, with file and line.

Run `python tools/list_messages.py` and read them as a user would.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SHOWING = {"print", "echo", "say", "warn", "warning", "info", "error", "secho"}
ENDINGS = ("Error", "Warning", "Exception")


def text_of(node: ast.expr) -> str:
    """Return the text of string literals in an expression, with {} where values are filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
        case ast.IfExp(body=body, orelse=other):
            return f"{text_of(body)} | {text_of(other)}"
        case _:
            return ""


def name_of(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each message in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            shown = name_of(node.func) in SHOWING or name_of(node.func).endswith(ENDINGS)
            given = node.args if shown else [k.value for k in node.keywords if k.arg in ("help", "epilog")]
            yield from ((node.lineno, text) for each in given if " " in (text := text_of(each)))


def main() -> None:
    """Print the messages of all modules."""
    root = Path(__file__).parents[1] / "harness"
    for path in sorted(root.rglob("*.py")):
        for line, text in sorted(messages(path.read_text(encoding="utf-8"))):
            print(f"{path.relative_to(root)}:{line}: {text}")


if __name__ == "__main__":
    main()
