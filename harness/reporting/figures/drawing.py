"""What every figure is made from, and what it is once drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.reporting.published import Published
from harness.reporting.results import Results
from harness.reporting.scores import Score


class NotApplicableError(Exception):
    """This figure cannot be drawn of these results; the message says why."""


@dataclass(frozen=True)
class Material:
    """
    Attributes:
        published: sources whose scores are drawn as dashed levels.
        reference: the algorithm that percent differences are taken to; by default the full TD3+BC.
        behaviour_returns: dataset to the returns of the episodes in it, as far as they are known.
    """

    results: Results
    score: Score = "final"
    published: Sequence[Published] = ()
    reference: str | None = None
    behaviour_returns: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawing:
    figure: Figure
    caption: str
