"""Evaluation of searches for hyper-parameters: the quality and cost of selecting among trained policies.

candidates              the samples to select from (hyperparameters: their values)
rules                   what selects: a score, or an estimate from data alone
online, bandit          the cost of selecting with the environment: policies deployed, episodes used
importance              which hyper-parameters matter
"""
