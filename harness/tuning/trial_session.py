"""The session of a worker with a trial: its record, log, curves and reports."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import torch

from harness.divergence import first_divergence
from harness.storage.provenance import machine, now, versions
from harness.storage.stores import StorageError, with_retries
from harness.storage.trial_record import Checkpoint, ProgressNote, TrialRecord
from harness.storage.trial_result import ResultContent
from harness.training.evaluation import Evaluation
from harness.training.protocols import PackState, TrainedData
from harness.tuning.messages import Evaluated
from harness.tuning.trial_files import TrialFiles

PROGRESS_SECONDS, MAX_PROGRESS_SECONDS = 2.0, 60.0
"""Seconds between two progress notes on a trial; a pack does not train while one is written."""
PROGRESS_SHARE = 0.001
"""The largest share of a pack's time that progress notes on one of its trials may take."""


class Clock(NamedTuple):
    """The clock; tests replace it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()


class TrialSession:
    """Writes the record, log and curves of one trial while a worker trains it; arguments as `Attempt`.

    Raises:
        StorageError: if the trial's files cannot be written.
    """

    def __init__(
        self,
        record: TrialRecord,
        driver: int,
        device: str,
        capture: bool = False,
        clock: Clock = CLOCK,
    ) -> None:
        self.trial = record.trial
        self.record = record
        self.reported = 0
        """The number of evaluations reported so far."""
        self._driver = driver
        self._device = device
        self._clock = clock
        self.files = TrialFiles(record, capture)

    def claim(self, step: int) -> int:
        """Claim the trial; return how many earlier attempts got no further than this step."""
        deaths = with_retries(lambda: self.record.claim(self._driver, step), self._clock.sleep)
        process = f"process {os.getpid()} on {socket.gethostname()}"
        self.files.say(f"attempt at {self.trial.key} from step {step} by {process}")
        return deaths

    def begin(self, evaluations: Sequence[Evaluation], step: int) -> None:
        """Continue after these evaluations and this gradient step."""
        rows = [evaluation.to_row() for evaluation in evaluations]
        self.files.begin_curves(rows)
        self.reported = len(rows)
        self._diverged = first_divergence(rows)
        self._unnoted: dict[str, object] | None = None
        """The latest evaluation, until the progress note has it."""
        self._next_progress = self._clock.now()
        self._rate = 0.0
        self._trained = step
        self._rate_time = self._clock.now()

    def report(self, evaluation: Evaluation, trained: int) -> Evaluated:
        """Record an evaluation in the log, the curves and the progress note; return it for the driver.

        `trained` counts the gradient steps so far; training may be ahead of the evaluation.
        """
        if trained > self._trained:
            time_now = self._clock.now()
            self._rate = (trained - self._trained) / max(time_now - self._rate_time, 1e-9)
            self._trained, self._rate_time = trained, time_now
        row = evaluation.to_row()
        self._diverged = self._diverged or first_divergence([row])
        note: ProgressNote = {
            "step": evaluation.step,
            "steps": self.trial.training.gradient_steps,
            "steps_per_second": self._rate,
            "return_mean": evaluation.return_mean,
            "normalized_score": evaluation.normalized_score,
            "diverged": self._diverged,
        }
        metrics = {name: value for name, value in row.items() if isinstance(value, int | float)}
        del metrics["step"]
        self.reported += 1
        score = evaluation.normalized_score
        self.files.say(
            f"step {evaluation.step}: return {evaluation.return_mean:.2f} +- {evaluation.return_std:.2f}"
            + (f", normalized score {score:.2f}" if score is not None else "")
            + f", {self._rate:.0f} steps/s"
            + (f"; diverged: {self._diverged}" if self._diverged else "")
        )
        self.files.add_to_curves(row)
        self._unnoted = {**metrics, **note}
        if self._clock.now() >= self._next_progress:
            self._note_progress()
        return Evaluated(self.trial.key, note, {**metrics, "steps_per_second": self._rate})

    def commit_policies(self, files: Mapping[str, bytes]) -> None:
        """Save policies, before the checkpoint that contains their evaluations."""
        for name, data in files.items():
            with_retries(partial(self.record.commit_policy, name, data), self._clock.sleep)

    def commit_checkpoint(self, step: int, state: PackState) -> None:
        """Commit a checkpoint, and note the last evaluation that it contains."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        data = buffer.getvalue()
        with_retries(lambda: self.record.commit_checkpoint(step, data), self._clock.sleep)
        self._note_progress()
        self.files.publish()

    def commit_result(self, evaluations: Sequence[Evaluation], dataset: TrainedData) -> None:
        """Commit the result, which finishes the trial."""
        content = self._content(evaluations, dataset)
        with_retries(lambda: self.record.commit_result(content), self._clock.sleep)
        self.files.say("finished")
        self.files.publish()

    def commit_rung(self, evaluations: Sequence[Evaluation], dataset: TrainedData) -> None:
        """Commit the evaluations up to a rung, after the checkpoint there."""
        content = self._content(evaluations, dataset)
        with_retries(lambda: self.record.commit_rung(content), self._clock.sleep)
        self.files.say(f"paused at step {evaluations[-1].step}, until the samples of the search are compared")
        self.files.publish()

    def _content(self, evaluations: Sequence[Evaluation], dataset: TrainedData) -> ResultContent:
        return {
            "algorithm": self.trial.algorithm,
            "dataset": self.trial.dataset.name,
            "seed": self.trial.seed,
            "rows": [evaluation.to_row() for evaluation in evaluations],
            "dataset_digest": dataset.digest,
            "policies": self.record.policies(),
            "transitions": len(dataset),
            "environment": str(self.trial.dataset.environment or dataset.environment),
            "device": torch.cuda.get_device_name() if self._device == "cuda" else self._device,
            "machine": machine(),
            "versions": versions(),
            "finished": now(),
        }

    def commit_error(self, reason: str, details: str, diverged: bool = False) -> None:
        """Record why the trial cannot continue, and whether training diverged."""
        self.files.say(f"failed: {details}")
        if not self.record.claimed:
            self.claim(0)  # it failed before it started
        with_retries(lambda: self.record.commit_error(reason, self._driver, diverged), self._clock.sleep)
        self.files.publish()

    def _note_progress(self) -> None:
        """Write the progress note for `harness status`; `report` does so less often if storage is slow."""
        if self._unnoted is None:
            return
        started, process = self._clock.now(), {"host": socket.gethostname(), "pid": os.getpid()}
        with suppress(StorageError):
            self.record.write_progress({**self._unnoted, **process, "time": time.time()})
        self._unnoted = None
        took = self._clock.now() - started
        pause = min(max(PROGRESS_SECONDS, took / PROGRESS_SHARE), MAX_PROGRESS_SECONDS)
        self._next_progress = started + pause


def load_state(checkpoint: Checkpoint) -> PackState:
    """Read a checkpoint, without executing any code that it may contain."""
    state: PackState = torch.load(io.BytesIO(checkpoint.data), weights_only=True, map_location="cpu")
    return state
