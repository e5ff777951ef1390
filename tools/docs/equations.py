"""Equations as MathML, which browsers draw by themselves: no script, no font, nothing from elsewhere."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', flags=re.DOTALL)


def fence(source: str, *_: Any, **__: Any) -> str:
    """Return a fenced block of the language `math` as a displayed equation.

    Hosts of code draw `aligned` in such blocks, latex2mathml knows it as `align*`.
    """
    latex = re.sub(r"(begin|end)\{aligned\}", r"\1{align*}", source.strip())
    return f'<div class="equation">{convert(latex, display="block")}</div>'


def inline(page: str) -> str:
    """Return the HTML of a page with every inline equation as MathML."""
    return INLINE.sub(lambda found: convert(html.unescape(found[1])), page)
