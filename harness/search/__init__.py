"""Hyper-parameter search: search spaces, sampling, and early stopping of samples."""

from harness.search.search import Search, Value

__all__ = ["Search", "Value"]
