"""A Ray-distributed benchmark harness for TD3+BC (arXiv 2106.06860), TD3 and BC."""

__version__ = "0.1.0"
