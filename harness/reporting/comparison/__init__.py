"""Tests whether results differ: those of two runs, or the variants of one run from a baseline."""

from harness.reporting.comparison.baseline import compare_with_baseline, default_baseline
from harness.reporting.comparison.model import Comparison, Difference, Expectation, Verdict
from harness.reporting.comparison.runs import compare

__all__ = [
    "Comparison",
    "Difference",
    "Expectation",
    "Verdict",
    "compare",
    "compare_with_baseline",
    "default_baseline",
]
