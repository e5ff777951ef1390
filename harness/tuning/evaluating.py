"""Runs the episodes of many policies: the first in this process, others on all cores if that is faster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.machine import cores
from harness.policies.files import SavedPolicy
from harness.training.evaluation import EvaluationService, LocalEvaluation
from harness.training.policy_evaluation import PolicyEpisodes, PolicyEvaluation
from harness.tuning import cluster
from harness.tuning.ray_session import ray_session, require_ray_directories_writable
from harness.tuning.runtime_env import WorkerPaths

RAY_SECONDS = 15.0
"""Starting Ray does not pay off for work that takes less time than this in one process."""


def evaluate(
    policies: Sequence[tuple[SavedPolicy, EnvironmentSpec]],
    episodes: int,
    seed: int | None = None,
    debug: bool = False,
) -> Iterator[PolicyEvaluation | HarnessError]:
    """Evaluate policies in order; one that fails yields its error and does not affect the others.

    The seed, by default the recorded one, determines the start states together with the seed of the trial.
    """
    first, rest = policies[:1], policies[1:]
    started = time.perf_counter()
    with closing(LocalEvaluation()) as here:
        yield from _run(first, episodes, seed, here)
        expected = (time.perf_counter() - started) * len(rest)
        if expected < RAY_SECONDS or cores() == 1:
            yield from _run(rest, episodes, seed, here)
            return
    with _worker_processes(min(cores(), len(rest)), debug) as service:
        yield from _run(rest, episodes, seed, service)


def _run(
    policies: Sequence[tuple[SavedPolicy, EnvironmentSpec]],
    episodes: int,
    seed: int | None,
    service: EvaluationService,
) -> Iterator[PolicyEvaluation | HarnessError]:
    started: Iterator[PolicyEpisodes] = (
        PolicyEpisodes(policy, environment, episodes, seed, service) for policy, environment in policies
    )
    if not isinstance(service, LocalEvaluation):  # episodes in other processes are all submitted first
        started = iter(list(started))
    for each in started:
        try:
            yield each.result()
        except HarnessError as error:
            yield error


@contextmanager
def _worker_processes(count: int, debug: bool) -> Iterator[EvaluationService]:
    """Start Ray on this machine, with processes that run episodes."""
    require_ray_directories_writable()
    paths = WorkerPaths((str(Path.cwd()),), str(Path.cwd()))
    with (
        ray_session("Nothing was recorded; run the command again") as session,
        cluster.connected(None, session, debug=debug),
    ):
        from harness.tuning.remote_evaluation import RemoteEvaluation  # imports Ray

        with closing(RemoteEvaluation(count, paths)) as service:
            yield service
