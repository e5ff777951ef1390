"""One worker's attempt at one trial: on from the newest checkpoint, committing as it goes. No Ray in here."""

from __future__ import annotations

import faulthandler
import io
import math
import os
import random
import socket
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
import torch

from harness.errors import HarnessError
from harness.storage.provenance import machine, now, versions
from harness.storage.stores import StorageError, open_store
from harness.storage.trial_record import Checkpoint, SupersededError, TrialRecord
from harness.tuning.assignment import Assignment, VersionMismatchError, check_versions
from harness.tuning.growing import GrowingFile
from harness.tuning.scalars import ScalarFile
from harness.tuning.trial_log import TrialLog

Report = dict[str, Any]

MAX_DEATHS = 3
"""A trial whose worker died this often at one place is not tried again by the same driver."""
COMMIT_TRIES = 3


class Attempt:
    """`advance` until the report says `done`; it raises nothing, a failure is a report too.

    A report holds `done`, and after an evaluation its row; `failed` with the reason in one line where the
    trial cannot go on, and `fatal` beside it where no other trial could either.
    """

    def __init__(self, assignment: Assignment, capture: bool = False) -> None:
        self.assignment = assignment
        self.trial = assignment.trial
        self.trainer: Any = None
        self._ended: Report | None = None
        self._closers: list[Callable[[], None]] = []
        self._guarded(lambda: self._begin(capture))

    def advance(self) -> Report:
        if self._ended is None:
            report = self._guarded(self._advance)
        return self._ended if self._ended is not None else report

    def close(self) -> None:
        for closer in reversed(self._closers):
            with suppress(OSError):
                closer()
        self._closers = []
        self.trainer = None

    def _begin(self, capture: bool) -> Report:
        check_versions(self.assignment.versions)
        self.store = open_store(self.assignment.store)
        self.record = TrialRecord(self.store, self.trial.key, self.trial.digest)
        self._open_log(capture)
        if self.record.result() is not None:
            return self._end({"done": True})
        error = self.record.error(self.assignment.driver)
        if error is not None:
            return self._end({"done": True, "failed": error})
        _seed_process(self.trial.seed)
        checkpoints = self.record.checkpoints()
        step = checkpoints[0].step if checkpoints else 0
        deaths = self.record.claim(self.assignment.driver, step)
        self.log.say(f"attempt at {self.trial.key} from step {step} by {_whoami()}")
        if deaths >= MAX_DEATHS:
            raise HarnessError(f"its worker process died {deaths} times after step {step} (out of memory?)")
        self.trainer = self._restored(checkpoints)
        self._open_scalars()
        self._committed = time.monotonic()
        return {}

    def _advance(self) -> Report:
        if self.trainer.finished:
            return self._finish({})
        with _Watch(self.assignment.interval_seconds, self._hung):
            evaluation = self.trainer.advance()
        if not math.isfinite(evaluation.return_mean):
            raise HarnessError(
                f"the evaluation at step {evaluation.step} returned {evaluation.return_mean}: "
                "the policy's actions are not finite, training diverged"
            )
        row = evaluation.to_row()
        progress = self._show(row)
        if self.trainer.finished:
            return self._finish(progress)
        if time.monotonic() - self._committed >= self.assignment.checkpoint_seconds:
            self._commit_checkpoint()
        return {"done": False, **progress}

    def _finish(self, report: Report) -> Report:
        self._commit_checkpoint()
        dataset = self.trainer.dataset
        content = {
            "algorithm": self.trial.algorithm,
            "dataset": self.trial.dataset.name,
            "seed": self.trial.seed,
            "rows": [evaluation.to_row() for evaluation in self.trainer.evaluations],
            "dataset_digest": dataset.digest,
            "transitions": len(dataset),
            "environment": self.trial.dataset.environment or dataset.environment,
            "device": self.assignment.device,
            "machine": machine(),
            "versions": versions(),
            "finished": now(),
        }
        _persistently(lambda: self.record.commit_result(content))
        self.log.say("finished")
        self._publish()
        return self._end({**report, "done": True})

    def _commit_checkpoint(self) -> None:
        data = _to_bytes(self.trainer.state_dict())
        _persistently(lambda: self.record.commit_checkpoint(self.trainer.step, data))
        self._publish()
        self._committed = time.monotonic()

    def _restored(self, checkpoints: list[Checkpoint]) -> Any:
        """A trainer at the newest checkpoint that loads, or at the start."""
        for checkpoint in checkpoints:
            trainer = self._new_trainer()
            try:
                trainer.load_state_dict(_from_bytes(checkpoint.data, self.assignment.device))
            except Exception as error:
                self.log.say(f"{checkpoint.name} cannot be used ({_one_line(error)}); trying the one before")
            else:
                return trainer
        return self._new_trainer()

    def _new_trainer(self) -> Any:
        if self.assignment.device == "cuda" and not torch.cuda.is_available():
            raise HarnessError(
                f"resources.gpus asks for a GPU, but torch {torch.__version__} on {socket.gethostname()} "
                "sees none"
            )
        module, _, name = self.assignment.trainer.partition(":")
        trainer = getattr(import_module(module), name)(self.trial, device=self.assignment.device)
        self._closers.append(trainer.close)
        return trainer

    def _show(self, row: dict[str, Any]) -> Report:
        """Tell every onlooker about an evaluation; nothing depends on their hearing it."""
        previous = self.trainer.evaluations[-2].step if len(self.trainer.evaluations) > 1 else 0
        seconds = row["train_seconds"] + row["evaluation_seconds"]
        progress = {
            **{name: value for name, value in row.items() if isinstance(value, int | float)},
            "steps": self.trial.training.gradient_steps,
            "steps_per_second": (row["step"] - previous) / max(seconds, 1e-9),
        }
        score = row["normalized_score"]
        self.log.say(
            f"step {row['step']}: return {row['return_mean']:.2f} +- {row['return_std']:.2f}"
            + (f", normalized score {score:.2f}" if score is not None else "")
            + f", {progress['steps_per_second']:.0f} steps/s"
        )
        with suppress(OSError):
            self.scalars.add(row)
        with suppress(StorageError):
            self.record.write_progress(
                {**progress, "host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}
            )
        return progress

    def _open_log(self, capture: bool) -> None:
        self._log_file = GrowingFile(self.store, self.record.name("log.txt"))
        self._closers.append(self._log_file.close)
        self.log = TrialLog(self._log_file.path, capture)
        self._closers.append(self.log.close)

    def _open_scalars(self) -> None:
        self._scalar_file = GrowingFile(self.store, self.record.name("events.out.tfevents.0.trial"))
        self._closers.append(self._scalar_file.close)
        rows = [evaluation.to_row() for evaluation in self.trainer.evaluations]
        self.scalars = ScalarFile(self._scalar_file.path, rows)
        self._closers.append(self.scalars.close)

    def _publish(self) -> None:
        for file in (self._log_file, self._scalar_file):
            with suppress(StorageError):
                file.publish()

    def _hung(self) -> None:
        """The interval's time is over: leave a reason and end the process, whatever it is stuck in."""
        seen = self.trainer.evaluations[-1].step if self.trainer.evaluations else 0
        reason = (
            f"no evaluation within {self.assignment.interval_seconds:g} s after step {seen} "
            "(resources.interval_seconds); its log shows where it stood"
        )
        self.log.say(reason)
        with suppress(OSError):
            faulthandler.dump_traceback(self.log.fileno())
        with suppress(Exception):
            self.record.commit_error(reason, self.assignment.driver)
            self._log_file.publish()
        os._exit(70)

    def _guarded(self, action: Callable[[], Report]) -> Report:
        try:
            return action()
        except SupersededError:
            return self._end({"done": True, "superseded": True})
        except (StorageError, VersionMismatchError) as error:
            return self._end({"done": True, "failed": str(error), "fatal": True})
        except Exception as error:
            return self._failed(error)

    def _failed(self, error: Exception) -> Report:
        reason = _one_line(error)
        report = {"done": True, "failed": reason}
        try:
            self.log.say("failed: " + "".join(traceback.format_exception(error)))
            self.record.commit_error(reason, self.assignment.driver)
            self._log_file.publish()
        except SupersededError:
            report = {"done": True, "superseded": True}
        except StorageError as storage_error:
            report = {"done": True, "failed": f"{reason}; {storage_error}", "fatal": True}
        return self._end(report)

    def _end(self, report: Report) -> Report:
        self._ended = report
        return report


class _Watch:
    """Calls `expired` in a thread of its own when the block inside takes longer than `seconds`."""

    def __init__(self, seconds: float | None, expired: Callable[[], None]) -> None:
        self._timer = threading.Timer(seconds, expired) if seconds is not None else None
        self._seconds = seconds

    def __enter__(self) -> None:
        if self._timer is not None and self._seconds is not None:
            self._timer.daemon = True
            self._timer.start()
            # Behind it one that needs no interpreter, should the block hold on to it.
            faulthandler.dump_traceback_later(self._seconds + 30, exit=True)

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            faulthandler.cancel_dump_traceback_later()


def _persistently(commit: Callable[[], None]) -> None:
    """Network storage has its moments; a disk that stays full does not."""
    for attempt in range(COMMIT_TRIES):
        try:
            commit()
            return
        except StorageError:
            if attempt == COMMIT_TRIES - 1:
                raise
            time.sleep(2.0**attempt)


def _seed_process(seed: int) -> None:
    """A worker serves many trials; none may see what the one before left behind."""
    torch.set_num_threads(1)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _to_bytes(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _from_bytes(data: bytes, device: str) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True, map_location=device)
    return state


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    message = lines[0] if lines else ""
    if isinstance(error, HarnessError):
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _whoami() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
