"""Hyper-parameter search: what is searched, which values are tried, and which samples are stopped early."""

from harness.search.search import Search, Value

__all__ = ["Search", "Value"]
