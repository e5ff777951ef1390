"""Benchmarks for developers: reading datasets, scheduling through Ray, reports of many trials."""
