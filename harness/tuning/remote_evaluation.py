"""Episodes in processes of their own, while the pack that their policies come from trains on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayActorError, RayTaskError

from harness.errors import HarnessError
from harness.training.evaluation import Episodes, Evaluators, PendingEpisodes
from harness.training.policy import Policy

TRIES = 3
"""At the same episodes: what kills an actor each time must not do so forever."""


class RemoteEvaluation:
    """An evaluation service on Ray actors, each with one CPU of the placement group of the worker that asks.

    An actor that dies is started again and does its work over; what it returns depends on its input alone.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=TRIES - 1)(_Evaluator)
        self._actors: list[Any] = [actor.remote() for _ in range(count)]
        self._turns = itertools.cycle(self._actors)

    def submit(self, environment: str, policy: Policy, seeds: Sequence[int]) -> PendingEpisodes:
        return _Remote(next(self._turns).run.remote(environment, policy, seeds))

    def close(self) -> None:
        for actor in self._actors:
            ray.kill(actor)


class _Evaluator:
    def __init__(self) -> None:
        self._evaluators = Evaluators()

    def run(self, environment: str, policy: Policy, seeds: Sequence[int]) -> Episodes:
        return self._evaluators.run(environment, policy, seeds)


class _Remote(NamedTuple):
    reference: Any

    def result(self) -> Episodes:
        try:
            episodes: Episodes = ray.get(self.reference)
        except RayTaskError as error:
            raise error.cause from None
        except RayActorError:
            raise HarnessError(
                "the process that ran its episodes died again and again (out of memory?)"
            ) from None
        return episodes
