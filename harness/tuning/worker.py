"""The process that Tune starts; it serves one trial after another, so that imports are paid once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray import tune

from harness.tuning.assignment import Assignment

if TYPE_CHECKING:
    from harness.tuning.attempt import Attempt


class Worker(tune.Trainable):
    """Each Tune iteration is one evaluation interval."""

    def setup(self, config: dict[str, Any]) -> None:
        """Nothing is claimed yet: Tune may set up two workers for one trial and then use the other."""
        import harness.tuning.attempt  # noqa: F401  (torch, while other workers still start)

        self.assignment = Assignment.model_validate(config["trial"]["assignment"])
        self.attempt: Attempt | None = None

    def step(self) -> dict[str, Any]:
        if self.attempt is None:
            from harness.tuning.attempt import Attempt

            self.attempt = Attempt(self.assignment, capture=True)
        return self.attempt.advance()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.cleanup()
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        if self.attempt is not None:
            self.attempt.close()
