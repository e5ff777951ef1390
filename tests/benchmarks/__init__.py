"""Benchmarks for developers: evaluation, reading datasets, scheduling through Ray, reports of many trials."""

import sys

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""The unit of getrusage's `ru_maxrss`."""
