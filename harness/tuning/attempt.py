"""One attempt of a worker at a pack of trials, from the newest checkpoints to the results. No Ray."""

from __future__ import annotations

import faulthandler
import gc
import math
import os
import random
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import import_module

import numpy as np
import torch

from harness.divergence import DivergedError
from harness.errors import HarnessError, failure_reason
from harness.storage.stores import StorageError, open_store, with_retries
from harness.storage.trial_record import Checkpoint, SupersededError, TrialRecord
from harness.storage.trial_state import State
from harness.training import loading
from harness.training.evaluation import EvaluationService
from harness.training.protocols import ShouldStop, TrainsPack
from harness.tuning.machines import VersionMismatchError, check_versions
from harness.tuning.messages import Assignment, Ended, Evaluated, Report
from harness.tuning.stop_request import StopRequest
from harness.tuning.trial_session import CLOCK, Clock, TrialSession, load_state

MAX_DEATHS = 3
"""A driver gives up on trials whose worker died this often at the same step."""
COMMIT_SHARE = 0.05
"""The largest share of the time that checkpoints may take; on slow storage they are written less often."""


class Attempt:
    """Trains a pack: call `advance` until its report says `done`. Failures are reported, never raised.

    Args:
        assignment: the trials to train, and how.
        capture: whether to redirect the output of the process to the log of the first trial.
        evaluation_service: runs the episodes; by default this process does.
        should_stop: called about every second; by default it reads the driver's file in the results.
        clock: the clock.
    """

    def __init__(
        self,
        assignment: Assignment,
        capture: bool = False,
        evaluation_service: EvaluationService | None = None,
        should_stop: ShouldStop | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self.assignment = assignment
        self.pack: TrainsPack | None = None
        self._should_stop = should_stop
        self._clock = clock
        self._evaluation_service = evaluation_service
        self._left = [trial.key for trial in assignment.trials]
        self._sessions: dict[str, TrialSession] = {}
        self._events: list[Evaluated | Ended] = []
        self._resources = ExitStack()
        with self._errors_reported():
            self._begin(capture)

    def advance(self) -> Report:
        """Train to the next evaluation or stop, and report what has happened since the last call."""
        if self._left:
            with self._errors_reported():
                self._advance()
        events, self._events = self._events, []
        return {"done": not self._left, "events": events}

    def close(self) -> None:
        """Release the resources of the trials: files, evaluators, the memory of the GPU."""
        self._close_pack()
        with suppress(OSError):
            self._resources.close()

    def _close_pack(self) -> None:
        if self.pack is not None:
            with suppress(OSError):
                self.pack.close()
        self.pack = None
        if self.assignment.device == "cuda":
            gc.collect()  # a captured graph and its learner form a cycle, which keeps GPU memory allocated

    def _begin(self, capture: bool) -> None:
        check_versions(self.assignment.versions)
        store = open_store(self.assignment.store)
        driver, device = self.assignment.driver, self.assignment.device
        if self._should_stop is None:
            request = self._should_stop = StopRequest(store, driver)
            self._resources.callback(request.close)
        if self._should_stop():
            self._end_all("waiting")
            return
        for trial in self.assignment.trials:
            record = TrialRecord(store, trial)
            if with_retries(record.result, self._clock.sleep) is not None:
                self._end(trial.key, "done")
                continue
            failure = with_retries(record.failure, self._clock.sleep)
            if failure is not None and failure["driver"] == driver:
                self._end(trial.key, "failed", reason=failure["reason"])
            else:
                first = not self._sessions
                session = TrialSession(record, driver, device, capture and first, self._clock)
                self._sessions[trial.key] = session
                self._resources.callback(session.files.close)
        self._fail_unloadable()
        if self._sessions:
            self._start(list(self._sessions.values()))

    def _fail_unloadable(self) -> None:
        """Fail the trials of datasets that cannot be loaded, instead of the whole pack."""
        if len(self._sessions) == 1:
            return
        errors: dict[str, Exception] = {}
        for session in {each.trial.dataset.name: each for each in self._sessions.values()}.values():
            try:
                loading.load_dataset(session.trial)
            except Exception as error:
                errors[session.trial.dataset.name] = error
        for key, session in list(self._sessions.items()):
            if session.trial.dataset.name in errors:
                self._fail(key, errors[session.trial.dataset.name])
                del self._sessions[key]

    def _start(self, sessions: Sequence[TrialSession]) -> None:
        _seed_process(sessions[0].trial.seed)
        saved = [
            {found.step: found for found in with_retries(session.record.checkpoints, self._clock.sleep)}
            for session in sessions
        ]
        steps = sorted(set.intersection(*map(set, saved)), reverse=True)
        step = steps[0] if steps else 0
        deaths = max([session.claim(step) for session in sessions])
        if deaths >= MAX_DEATHS:
            outputs = filter(None, (session.files.last_output() for session in sessions))
            reason = next(outputs, "out of memory?")
            raise HarnessError(f"its worker process died {deaths} times after step {step} ({reason})")
        pack = self._restore(sessions, [[own[step] for own in saved] for step in steps])
        for session, evaluations in zip(sessions, pack.records, strict=True):
            session.begin(evaluations, pack.step)
        self._next_commit = self._clock.now() + self.assignment.checkpoint_seconds

    def _restore(
        self, sessions: Sequence[TrialSession], candidates: Sequence[Sequence[Checkpoint]]
    ) -> TrainsPack:
        """Create the pack at the newest step whose checkpoints load for all trials, or at step 0."""
        for checkpoints in candidates:
            self.pack = self._new_pack(sessions)
            try:
                for index, checkpoint in enumerate(checkpoints):
                    self.pack.load_state_dict(index, load_state(checkpoint))
            except (torch.OutOfMemoryError, torch.AcceleratorError):
                raise
            except Exception as error:
                for session, checkpoint in zip(sessions, checkpoints, strict=True):
                    session.files.say(
                        f"cannot load {checkpoint.name} ({failure_reason(error)}); trying the previous "
                        "checkpoint"
                    )
            else:
                return self.pack
            self._close_pack()  # before the next one is created, because two might not fit into memory
        self.pack = self._new_pack(sessions)
        return self.pack

    def _new_pack(self, sessions: Sequence[TrialSession]) -> TrainsPack:
        device = self.assignment.device
        if device == "cuda" and not torch.cuda.is_available():
            raise HarnessError(
                f"resources.gpus requests a GPU, but torch {torch.__version__} on {socket.gethostname()} "
                "finds none; set resources.gpus=0 or install a build of torch for its GPU"
            )
        module, _, name = self.assignment.pack.partition(":")
        pack: TrainsPack = getattr(import_module(module), name)(
            [session.trial for session in sessions],
            device=device,
            evaluation_service=self._evaluation_service,
        )
        return pack

    def _advance(self) -> None:
        pack, should_stop = self.pack, self._should_stop
        assert pack is not None
        assert should_stop is not None
        committing, stopping, started = True, False, self._clock.now()
        if not self._at_end(pack):
            with _watched(self.assignment.interval_seconds, partial(self._abort_hung, pack)):
                pack.advance(should_stop)
                started = self._clock.now()
                stopping = should_stop()
                committing = stopping or self._at_end(pack) or started >= self._next_commit
                if committing:
                    pack.wait_for_evaluations()
        for index, (key, session) in enumerate(self._sessions.items()):
            if key in self._left:
                with self._errors_reported_of(key):
                    self._report(pack, session, index)
                    if committing:
                        self._commit(pack, session, index)
        if stopping:
            self._end_all("waiting", pack.step)
        if committing:
            now = self._clock.now()
            seconds = self.assignment.checkpoint_seconds
            pause = min(max(seconds, (now - started) / COMMIT_SHARE), seconds / COMMIT_SHARE)
            self._next_commit = now + pause

    def _at_end(self, pack: TrainsPack) -> bool:
        return pack.finished or self._at_rung(pack)

    def _at_rung(self, pack: TrainsPack) -> bool:
        return self.assignment.until is not None and pack.step >= self.assignment.until

    def _report(self, pack: TrainsPack, session: TrialSession, index: int) -> None:
        if index in pack.failures:
            raise pack.failures[index]
        for evaluation in pack.records[index][session.reported :]:
            if not math.isfinite(evaluation.return_mean):
                raise DivergedError(
                    f"training diverged: the evaluation at step {evaluation.step} returned "
                    f"{evaluation.return_mean}, because the policy's actions are not finite"
                )
            self._events.append(session.report(evaluation, pack.step))

    def _commit(self, pack: TrainsPack, session: TrialSession, index: int) -> None:
        session.commit_policies(pack.policy_files(index, self.assignment.experiment))
        session.commit_checkpoint(pack.step, pack.state_dict(index))
        if pack.finished:
            session.commit_result(pack.records[index], pack.datasets[index])
            self._end(session.trial.key, "done")
        elif self._at_rung(pack):
            session.commit_rung(pack.records[index], pack.datasets[index])
            self._end(session.trial.key, "paused", pack.step)

    def _abort_hung(self, pack: TrainsPack) -> None:
        """Record that the trials hang, and end the process."""
        for index, key in enumerate(self._sessions):
            session, evaluations = self._sessions[key], pack.records[index]
            reason = (
                f"no evaluation within {self.assignment.interval_seconds:g} s after step "
                f"{evaluations[-1].step if evaluations else 0} (resources.interval_seconds); "
                "its log shows where it was stuck"
            )
            with suppress(OSError):
                faulthandler.dump_traceback(session.files.fileno())
            if key in self._left:
                with suppress(Exception):
                    session.commit_error(reason, reason)
        os._exit(70)

    @contextmanager
    def _errors_reported(self) -> Iterator[None]:
        """Let an error in the block end every trial."""
        try:
            yield
        except (StorageError, VersionMismatchError) as error:
            self._end_all("failed", reason=str(error), fatal=True)
        except SupersededError:  # by a later driver
            self._end_all("waiting")
        except Exception as error:
            for key in list(self._left):
                self._fail(key, error)
            if self.assignment.device == "cuda" and not isinstance(error, HarnessError):
                os._exit(71)  # a CUDA error might make later packs fail in this process

    @contextmanager
    def _errors_reported_of(self, key: str) -> Iterator[None]:
        """Let an error in the block end one trial, unless it concerns all of them."""
        try:
            yield
        except (StorageError, torch.AcceleratorError):
            raise
        except SupersededError:
            self._end(key, "waiting")
        except Exception as error:
            self._fail(key, error)

    def _fail(self, key: str, error: Exception) -> None:
        reason = failure_reason(error)
        try:
            if key in self._sessions:
                details = "".join(traceback.format_exception(error))
                self._sessions[key].commit_error(reason, details, isinstance(error, DivergedError))
        except SupersededError:
            self._end(key, "waiting")
        except StorageError as storage_error:
            self._end(key, "failed", reason=f"{reason}; {storage_error}", fatal=True)
        else:
            self._end(key, "failed", reason=reason)

    def _end(
        self, key: str, state: State, step: int | None = None, reason: str = "", fatal: bool = False
    ) -> None:
        self._left.remove(key)
        self._events.append(Ended(key, state, step, reason, fatal))

    def _end_all(self, state: State, step: int | None = None, reason: str = "", fatal: bool = False) -> None:
        for key in list(self._left):
            self._end(key, state, step, reason, fatal)


@contextmanager
def _watched(seconds: float | None, expired: Callable[[], None]) -> Iterator[None]:
    """Call `expired` in a separate thread if the block takes longer than `seconds`."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, expired)
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(seconds + 30, exit=True)  # the block may hold the GIL
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def _seed_process(seed: int) -> None:
    """Seed the global generators, so that no trial depends on earlier ones in the same worker."""
    torch.set_num_threads(1)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
