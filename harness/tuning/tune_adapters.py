"""Adapters to Ray Tune: the class of its worker processes, and the packs of trials in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from ray import tune
from ray.tune.search import Searcher
from typing_extensions import override

from harness.errors import HarnessError
from harness.tuning.assignment import Assignment
from harness.tuning.shipping import WorkerPaths

if TYPE_CHECKING:
    from harness.tuning.attempt import Attempt
    from harness.tuning.remote_evaluation import RemoteEvaluation


class Worker(tune.Trainable):
    """Serves one pack of trials after another, so that imports are paid once.

    Each Tune iteration is one evaluation interval.
    """

    _evaluation: RemoteEvaluation | None = None

    @override
    def setup(self, config: dict[str, Any]) -> None:
        """Read the assignment, without claiming trials: Tune may set up two workers for one pack."""
        self._paths = WorkerPaths(**config["paths"])
        self._paths.enter()
        try:
            self.assignment = Assignment.model_validate_json(config["assignment"])
        except ValidationError as error:  # an algorithm that cannot be imported here
            raise HarnessError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        import harness.tuning.attempt  # noqa: F401  (imports torch while other workers start)

        self.attempt: Attempt | None = None

    @override
    def step(self) -> dict[str, Any]:
        if self.attempt is None:
            from harness.tuning.attempt import Attempt

            self.attempt = Attempt(self.assignment, True, self._evaluation_service())
        return dict(self.attempt.advance())

    @override
    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._close_attempt()
        self.setup(new_config)
        return True

    @override
    def cleanup(self) -> None:
        self._close_attempt()
        if self._evaluation is not None:
            self._evaluation.close()

    def _close_attempt(self) -> None:
        if self.attempt is not None:
            self.attempt.close()

    def _evaluation_service(self) -> RemoteEvaluation | None:
        """Return the evaluation service, which keeps its environments from pack to pack."""
        count = self.assignment.evaluators
        if self._evaluation is None and count:
            from harness.tuning.remote_evaluation import RemoteEvaluation

            self._evaluation = RemoteEvaluation(count, self._paths)
        return self._evaluation


class WaitingPacks(Searcher):
    """Gives the waiting packs to Tune one by one, as a search algorithm; None while the next is undecided.

    Tune would copy a grid of all packs for each of them, which takes a minute for a thousand trials.
    """

    def __init__(self, configs: Iterator[dict[str, Any] | None]) -> None:
        super().__init__()
        self._configs = configs

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune saves its search algorithm, but it is never restored

    @override
    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        return next(self._configs, Searcher.FINISHED)

    @override
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        pass

    @override
    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        pass

    @override
    def save(self, checkpoint_path: str) -> None:
        pass

    @override
    def restore(self, checkpoint_path: str) -> None:
        pass
