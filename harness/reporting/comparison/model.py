"""Differences between two sets of results as plain data, and the checks of `--expect`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.reporting.catalogue import Expectation, Score

Verdict = Literal["identical", "same", "better", "worse", "no difference found", "unknown"]


@dataclass(frozen=True)
class Difference:
    """B against A on one dataset, or over all datasets.

    Attributes:
        variant: its name in A; in a comparison with a baseline, the variant B.
        dataset: None for the mean over all datasets.
        title: variant and dataset by their titles.
        mean_a, mean_b: over seeds (and datasets); NaN where there are none, or a score is NaN.
        reason: why nothing is tested; empty if something is.
        interval: its 95 % t interval, uncorrected; NaN if it is not tested.
        t_test, bootstrap: p-values of no difference, corrected by Holm; NaN where nothing is tested.
        equivalence: p-value of a difference of at least the margin, corrected by Holm; NaN without a margin.
        verdict: `identical` if each seed has exactly the same score on both sides; `same` if `equivalence`
            is below 0.05; `better` or `worse` if both other p-values are, and the difference is not shown
            as 0; `unknown` if nothing can be tested.
    """

    variant: str
    dataset: str | None
    title: str
    mean_a: float
    mean_b: float
    difference: float
    decimals: int
    reason: str = ""
    interval: tuple[float, float] = (math.nan, math.nan)
    t_test: float = math.nan
    bootstrap: float = math.nan
    equivalence: float = math.nan
    verdict: Verdict = "unknown"

    @property
    def name(self) -> str:
        """Return variant and dataset by the names that commands take."""
        return f"{self.variant} on {self.dataset or 'all datasets'}"


@dataclass(frozen=True)
class Comparison:
    """Differences with their context and notes, as plain data.

    Attributes:
        paired: whether a seed means the same random numbers in A and B and on all datasets.
        margin: of the equivalence test, in points of normalized score; None for no such test.
        about: what is compared, in a sentence.
        sides: what A and B are called.
        notes: which trials are not compared, and how the protocols differ.
        lacking: why B does not cover all of A.
    """

    score: Score
    paired: bool
    margin: float | None
    differences: tuple[Difference, ...]
    about: str = ""
    sides: tuple[str, str] = ("A", "B")
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    def fails(self, expectation: Expectation) -> list[str]:
        """Return the reasons why B is not the same as (or better than) A; none if it is.

        It is the same only if it is so on every dataset. Without a margin, `no difference found` counts as
        the same; `caveat` explains the limits of that.
        """
        if expectation == "same":
            passes = {"identical", "same"} | ({"no difference found"} if self.margin is None else set())
            judged = [one for one in self.differences if one.dataset or one.verdict != "unknown"]
        else:
            passes = {"identical", "same", "better", "no difference found"}
            judged = list(self.differences)
        failed = [f"{one.name}: {self._failure(one)}" for one in judged if one.verdict not in passes]
        if expectation == "better":
            variants = [one.variant for one in self.differences]
            overall = [one for one in judged if one.dataset is None or variants.count(one.variant) == 1]
            verdicts = {one.name: one.verdict for one in overall if one.verdict in passes - {"better"}}
            failed += [f"{name}: not better ({verdict})" for name, verdict in verdicts.items()]
        return [*self.lacking, *failed]

    def caveat(self, expectation: Expectation) -> str:
        """Return the limits of what a fulfilled expectation proves, or an empty string."""
        open_ones = [one for one in self.differences if one.verdict == "no difference found"]
        if expectation != "same" or self.margin is not None or not open_ones:
            return ""
        widest = max(open_ones, key=lambda one: one.interval[1] - one.interval[0])
        return (
            "--expect same without --margin fails only where a difference is found. It does not show that "
            f"there is none: the interval of {widest.name} is {_interval(widest)}. --margin 5 tests whether "
            "all differences are below 5 points"
        )

    def _failure(self, one: Difference) -> str:
        if one.verdict != "no difference found" or self.margin is None:
            return one.reason or one.verdict
        if math.isnan(one.equivalence):
            return "no difference found, but --margin applies to normalized scores, and these are returns"
        return f"not shown to be within {points(self.margin)} ({_interval(one)})"


def points(margin: float) -> str:
    """Return a margin with its unit."""
    return f"{margin:g} point{'s' * (margin != 1)}"


def _interval(one: Difference) -> str:
    difference, low, high = (f"{number:+z.{one.decimals}f}" for number in (one.difference, *one.interval))
    return f"{difference} [{low}, {high}]"
