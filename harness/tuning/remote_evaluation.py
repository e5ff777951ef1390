"""Runs episodes in separate processes while the pack continues to train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.policies import Policy
from harness.training.evaluation import Episodes, LocalEvaluation, PendingEpisodes
from harness.tuning.runtime_env import WorkerPaths

TRIES = 3
"""How often the same episodes are tried if their process dies."""


class RemoteEvaluation:
    """Runs episodes on Ray actors, each with one CPU of the placement group of the calling worker.

    Each task goes to the actor with the least expected work, because some environments take longer than
    others. An actor that dies is replaced and its work repeated; results depend on the input alone.
    """

    def __init__(
        self, count: int, paths: WorkerPaths, new_actor: Callable[[WorkerPaths], Any] | None = None
    ) -> None:
        self.count = count
        self._new_actor = partial(new_actor or _new_actor, paths)
        self.actors = [self._new_actor() for _ in range(count)]
        self._seconds = [0.0] * count
        """The expected seconds of all work assigned to each actor so far."""

    def submit(
        self, environment: EnvironmentSpec, policy: Policy, seeds: Sequence[int], expected_seconds: float
    ) -> PendingEpisodes:
        """Start one episode from each seed."""
        slot = min(range(self.count), key=self._seconds.__getitem__)
        self._seconds[slot] += expected_seconds
        return _RemoteEpisodes(self, slot, (environment, policy, seeds))

    def replace(self, slot: int, dead: Any) -> None:
        """Replace a dead actor, unless it has been replaced already."""
        if self.actors[slot] is dead:
            self.actors[slot] = self._new_actor()

    def close(self) -> None:
        """End the actors."""
        for actor in self.actors:
            ray.kill(actor)


class _Evaluator:
    def __init__(self, paths: WorkerPaths) -> None:
        paths.enter()
        self._evaluation = LocalEvaluation()

    def run(self, environment: EnvironmentSpec, policy: Policy, seeds: Sequence[int]) -> Episodes:
        return self._evaluation.run(environment, policy, seeds)


class _RemoteEpisodes:
    def __init__(
        self, service: RemoteEvaluation, slot: int, work: tuple[EnvironmentSpec, Policy, Sequence[int]]
    ) -> None:
        self._service = service
        self._slot = slot
        self._work = work
        self._start()

    def result(self) -> Episodes:
        """Wait for the episodes, and repeat them if their actor dies.

        Ray's own retries would be shared with all other episodes of the same actor.
        """
        for _ in range(TRIES):
            try:
                episodes: Episodes = ray.get(self._reference)
                return episodes
            except RayTaskError as error:
                raise error.cause from None
            except RayActorError:
                self._service.replace(self._slot, self._actor)
                self._start()
        raise HarnessError(f"the process that ran its episodes died {TRIES} times (out of memory?)")

    def _start(self) -> None:
        self._actor = self._service.actors[self._slot]
        self._reference = self._actor.run.remote(*self._work)


def _new_actor(paths: WorkerPaths) -> Any:
    return ray.remote(num_cpus=1)(_Evaluator).remote(paths)
