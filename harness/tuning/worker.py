"""The process that Tune starts; it serves one trial after another, so that imports are paid once."""

from __future__ import annotations

from typing import Any

from ray import tune

from harness.tuning.assignment import Assignment


class Worker(tune.Trainable):
    """Each Tune iteration is one evaluation interval."""

    def setup(self, config: dict[str, Any]) -> None:
        from harness.tuning.attempt import Attempt  # imports torch, which the driver has no use for

        self.attempt = Attempt(Assignment.model_validate(config["trial"]["assignment"]), capture=True)

    def step(self) -> dict[str, Any]:
        return self.attempt.advance()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.attempt.close()
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        self.attempt.close()
