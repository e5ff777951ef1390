"""The class of Tune's worker processes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from pydantic import ValidationError
from ray import tune
from typing_extensions import TypedDict, override

from harness.errors import HarnessError
from harness.tuning.capacity import Machine
from harness.tuning.messages import Assignment
from harness.tuning.runtime_env import WorkerPaths

if TYPE_CHECKING:
    from harness.tuning.attempt import Attempt
    from harness.tuning.remote_evaluation import RemoteEvaluation


class PackConfig(TypedDict):
    """Describes a pack of trials, which is one trial for Tune."""

    keys: list[str]
    bundles: list[Machine]
    """The resources of the worker and of each evaluator."""
    paths: WorkerPaths
    assignment: str
    """An `Assignment` as JSON, because its algorithms can be imported only once the worker has the paths."""


class Worker(tune.Trainable):
    """Serves one pack of trials after another, so that imports are paid once.

    Each Tune iteration is one evaluation interval.
    """

    _evaluation: RemoteEvaluation | None = None

    @override
    def setup(self, config: dict[str, Any]) -> None:
        """Read the assignment, without claiming trials: Tune may set up two workers for one pack."""
        self._paths: WorkerPaths = config["paths"]
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

            tempfile.tempdir = _session_folder()
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


def _session_folder() -> str | None:
    """Return the folder of the Ray session; None, for the usual temporary folder, if it cannot be written.

    What a killed worker leaves there is removed with Ray's own files.
    """
    context = ray.get_runtime_context()
    folder = Path(context.get_temp_dir(), context.get_session_name())
    return str(folder) if os.access(folder, os.W_OK) else None
