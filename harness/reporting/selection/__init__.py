"""Evaluation of searches for hyper-parameters: the quality and cost of selecting among trained policies."""
