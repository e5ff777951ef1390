"""What a worker keeps of one trial while it trains it: the record, the log, the curves, what it has told."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import torch

from harness.divergence import first_divergence
from harness.storage.provenance import machine, now, versions
from harness.storage.stores import StorageError, Store
from harness.storage.trial_record import Checkpoint, TrialRecord
from harness.training.evaluation import Evaluation
from harness.training.protocols import TrainedData
from harness.trial import Trial
from harness.tuning.growing import GrowingFile
from harness.tuning.scalars import ScalarFile
from harness.tuning.trial_log import TrialLog

T = TypeVar("T")
STORAGE_TRIES = 3
PROGRESS_SECONDS, MOST_PROGRESS_SECONDS = 2.0, 60.0
"""Between two notes on a trial for those who look on; while they are written, a pack does not train."""
PROGRESS_SHARE = 0.001
"""Of a pack's time that the notes on one of its trials may take."""
Report = dict[str, Any]


class TrialWork:
    """
    Args:
        driver: the number of the driver's lease.
        device: where the trial is trained, for its result.
    """

    def __init__(self, store: Store, trial: Trial, driver: int, device: str) -> None:
        self.trial = trial
        self.driver = driver
        self.device = device
        self.record = TrialRecord(store, trial)
        self._closers: list[Callable[[], None]] = []

    def open(self, capture: bool) -> None:
        """Open the log; with `capture` it takes all that the process prints."""
        self._log_file = self._growing("log.txt")
        try:
            self.log = TrialLog(self._log_file.path, capture)
        except OSError as error:
            raise StorageError(
                f"{self.record.store.target}: cannot write {self._log_file.name} ({error.strerror or error})"
            ) from None
        self._closers.append(self.log.close)

    def claim(self, step: int) -> int:
        """Become the attempt that may commit; how many attempts came no further than this step before."""
        deaths = persistently(lambda: self.record.claim(self.driver, step))
        self.log.say(f"attempt at {self.trial.key} from step {step} by {_whoami()}")
        return deaths

    def begin(self, evaluations: Sequence[Evaluation]) -> None:
        """From here on there is something to tell: what comes after these evaluations."""
        self._scalar_file = self._growing("events.out.tfevents.0.trial")
        self._scalars = ScalarFile(
            self._scalar_file.path, [evaluation.to_row() for evaluation in evaluations]
        )
        self._closers.append(self._scalars.close)
        self.told = len(evaluations)
        self._diverged = first_divergence(evaluation.to_row() for evaluation in evaluations)
        self._next_progress = 0.0
        self._rate = 0.0
        self._trained = evaluations[-1].step if evaluations else 0
        self._rated_at = time.monotonic()

    def tell(self, evaluation: Evaluation, trained: int) -> Report:
        """Tell every onlooker about an evaluation; nothing depends on their hearing it.

        `trained` gradient steps are done by now: training may be ahead of the evaluations.
        """
        if trained > self._trained:
            moment = time.monotonic()
            self._rate = (trained - self._trained) / max(moment - self._rated_at, 1e-9)
            self._trained, self._rated_at = trained, moment
        row = evaluation.to_row()
        self._diverged = self._diverged or first_divergence([row])
        progress = {
            **{name: value for name, value in row.items() if isinstance(value, int | float)},
            "steps": self.trial.training.gradient_steps,
            "steps_per_second": self._rate,
            **({"diverged": self._diverged} if self._diverged else {}),
        }
        self.told += 1
        score = evaluation.normalized_score
        self.log.say(
            f"step {evaluation.step}: return {evaluation.return_mean:.2f} +- {evaluation.return_std:.2f}"
            + (f", normalized score {score:.2f}" if score is not None else "")
            + f", {progress['steps_per_second']:.0f} steps/s"
            + (f"; diverged: {self._diverged}" if self._diverged else "")
        )
        with suppress(OSError):
            self._scalars.add(row)
        last = evaluation.step == self.trial.training.gradient_steps
        if last or time.monotonic() >= self._next_progress:
            started = time.monotonic()
            with suppress(StorageError):
                self.record.write_progress(
                    {**progress, "host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}
                )
            took = time.monotonic() - started
            self._next_progress = started + min(
                max(PROGRESS_SECONDS, took / PROGRESS_SHARE), MOST_PROGRESS_SECONDS
            )
        return progress

    def commit_policies(self, files: Mapping[str, bytes]) -> None:
        """Save policies, before the checkpoint that holds their evaluations."""
        for name, data in files.items():
            persistently(partial(self.record.commit_policy, name, data))

    def commit_checkpoint(self, step: int, state: dict[str, Any]) -> None:
        data = _to_bytes(state)
        persistently(lambda: self.record.commit_checkpoint(step, data))
        self._publish()

    def commit_result(self, evaluations: Sequence[Evaluation], dataset: TrainedData) -> None:
        content = {
            "algorithm": self.trial.algorithm,
            "dataset": self.trial.dataset.name,
            "seed": self.trial.seed,
            "rows": [evaluation.to_row() for evaluation in evaluations],
            "dataset_digest": dataset.digest,
            "policies": self.record.policies(),
            "transitions": len(dataset),
            "environment": str(self.trial.dataset.environment or dataset.environment),
            "device": torch.cuda.get_device_name() if self.device == "cuda" else self.device,
            "machine": machine(),
            "versions": versions(),
            "finished": now(),
        }
        persistently(lambda: self.record.commit_result(content))
        self.log.say("finished")
        self._publish()

    def commit_error(self, reason: str, details: str) -> None:
        self.log.say(f"failed: {details}")
        if not self.record.claimed:
            self.claim(0)  # it failed before it began
        persistently(lambda: self.record.commit_error(reason, self.driver))
        with suppress(StorageError):
            self._log_file.publish()

    def close(self) -> None:
        for closer in reversed(self._closers):
            with suppress(OSError):
                closer()
        self._closers = []

    def _growing(self, name: str) -> GrowingFile:
        file = GrowingFile(self.record.store, self.record.name(name))
        self._closers.append(file.close)
        return file

    def _publish(self) -> None:
        for file in (self._log_file, self._scalar_file):
            with suppress(StorageError):
                file.publish()


def load_state(checkpoint: Checkpoint) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(io.BytesIO(checkpoint.data), weights_only=True, map_location="cpu")
    return state


def _to_bytes(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def persistently(action: Callable[[], T]) -> T:
    """Network storage has its moments; a disk that stays full does not."""
    for attempt in range(STORAGE_TRIES - 1):
        try:
            return action()
        except StorageError:
            time.sleep(2.0**attempt)
    return action()


def _whoami() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
