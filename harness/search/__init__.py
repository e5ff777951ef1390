"""Hyper-parameter search, before and while trials run.

axes, spaces            the values and ranges of `sweep`
sampling                draws samples from ranges
search                  the samples of an algorithm, by name
halving, ranking        stops samples early, by their scores
"""

from harness.search.search import Search, Value

__all__ = ["Search", "Value"]
