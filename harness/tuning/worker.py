"""The process that Tune starts; it serves one pack of trials after another, so that imports are paid once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray import tune

from harness.tuning.assignment import Assignment

if TYPE_CHECKING:
    from harness.tuning.attempt import Attempt
    from harness.tuning.remote_evaluation import RemoteEvaluation


class Worker(tune.Trainable):
    """Each Tune iteration is one evaluation interval."""

    _evaluation: RemoteEvaluation | None = None

    def setup(self, config: dict[str, Any]) -> None:
        """Nothing is claimed yet: Tune may set up two workers for one pack and then use the other."""
        import harness.tuning.attempt  # noqa: F401  (torch, while other workers still start)

        self.assignment = Assignment.model_validate_json(config["assignment"])
        self.attempt: Attempt | None = None

    def step(self) -> dict[str, Any]:
        if self.attempt is None:
            from harness.tuning.attempt import Attempt

            self.attempt = Attempt(self.assignment, True, self._evaluation_service())
        return self.attempt.advance()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._close_attempt()
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        self._close_attempt()
        if self._evaluation is not None:
            self._evaluation.close()

    def _close_attempt(self) -> None:
        if self.attempt is not None:
            self.attempt.close()

    def _evaluation_service(self) -> RemoteEvaluation | None:
        """Kept from pack to pack, with the environments that it has made."""
        count = self.assignment.evaluators
        if self._evaluation is None and count:
            from harness.tuning.remote_evaluation import RemoteEvaluation

            self._evaluation = RemoteEvaluation(count)
        return self._evaluation
