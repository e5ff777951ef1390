"""Measures of speed, for `harness bench`."""
