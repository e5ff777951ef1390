"""The folder of one trial: its owner, its checkpoints, and its result or error.

trials/KEY/owner.json                     the attempt that may commit
trials/KEY/checkpoint-STEP-DIGEST.pt      the newest two; `torch.load(..., weights_only=True)` reads them
trials/KEY/progress.json                  the latest evaluation, for `harness status`
trials/KEY/result.json                    every evaluation of the finished trial; never changed again
trials/KEY/rung.json                      every evaluation of a trial that has reached a rung of halving
trials/KEY/policy.npz, policy-*.npz        its policies; `harness.load_policy` reads them
trials/KEY/fqe-DIGEST.json                the estimated value of its policy (`estimates`)
trials/KEY/error.json                     why the last attempt failed
trials/KEY/log.txt, events.out.tfevents.* its log, and its curves for TensorBoard
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Required, TypeVar

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from harness.algorithms import registry
from harness.policies.names import chosen_of
from harness.storage import checksummed_json, trial_result
from harness.storage.checksummed_json import DamagedError
from harness.storage.stores import Store
from harness.storage.trial_result import ResultContent, TrialResult
from harness.trial import Trial

T = TypeVar("T")

TRIALS = "trials"
RESULT = "result.json"
RUNG = "rung.json"
ERROR = "error.json"
PROGRESS = "progress.json"
OWNER = "owner.json"
LOG = "log.txt"
KEPT_CHECKPOINTS = 2

_CHECKPOINT = re.compile(r"checkpoint-(?P<step>\d+)-(?P<digest>[0-9a-f]{32})\.pt")


def checkpoint_steps(names: Iterable[str]) -> dict[str, frozenset[int]]:
    """Return the steps of the checkpoints of each trial, from the names of all files of all trials."""
    steps: dict[str, frozenset[int]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        if match := _CHECKPOINT.fullmatch(file):
            key = folder.rpartition("/")[2]
            steps[key] = steps.get(key, frozenset()) | {int(match["step"])}
    return steps


class Owner(TypedDict):
    """The content of owner.json."""

    token: str
    driver: int
    """The number of its driver's lease."""
    step: int
    """The gradient step at which the attempt started."""
    deaths: int
    """How many earlier attempts of the driver started at this step and got no further."""
    host: str
    pid: int
    started: float


class ProgressNote(TypedDict, total=False):
    """The content of progress.json, without the metrics: the latest evaluation of a trial."""

    trial: str
    """Digest of the trial's settings."""
    step: Required[int]
    steps: int
    """Gradient steps of the whole trial."""
    steps_per_second: float | None
    return_mean: float | None
    normalized_score: float | None
    diverged: str | None


class Failure(TypedDict, total=False):
    """The content of error.json: why an attempt failed."""

    reason: Required[str]
    driver: Required[int]
    """The number of its driver's lease."""
    diverged: bool
    """Whether it failed because training diverged."""
    trial: str
    """Digest of the trial's settings."""


_OWNER = TypeAdapter(Owner)
_FAILURE = TypeAdapter(Failure)
_PROGRESS = TypeAdapter(ProgressNote)
_MAPPING = TypeAdapter(dict[str, Any])


class SupersededError(Exception):
    """Raised if another attempt has taken over the trial, so that this one may not commit any more."""


@dataclass(frozen=True)
class Checkpoint:
    """An undamaged checkpoint: the name of its file, its gradient step and its content."""

    name: str
    step: int
    data: bytes


class TrialRecord:
    """Reads and writes the files of one trial; files of a trial with other settings are ignored."""

    def __init__(self, store: Store, trial: Trial) -> None:
        self.store = store
        self.trial = trial
        self.key = trial.key
        self.digest = trial.digest
        self._has_source = not registry.resolve(trial.hyperparameters.algorithm).recorded
        self._token: str | None = None

    def name(self, file: str) -> str:
        """Return the name of one of the trial's files in the store."""
        return f"{TRIALS}/{self.key}/{file}"

    def is_of_trial(self, digest: object) -> bool:
        """Return whether a file with this digest of its trial's settings belongs to this trial.

        If a user's own algorithm was not imported, its part of the digest is unknown, and the answer is yes.
        """
        return digest == self.digest or not self._has_source

    def claim(self, driver: int, step: int) -> int:
        """Claim the trial for this attempt, which may then commit, and remove the error of the previous one.

        Returns how many earlier attempts of the same driver started at this gradient step and got no further.

        Raises:
            SupersededError: if a later driver has claimed the trial.
        """
        before = self.read(OWNER, _OWNER)
        if before is not None and before["driver"] > driver:
            raise SupersededError(self.key)
        stuck = before is not None and (before["driver"], before["step"]) == (driver, step)
        deaths = before["deaths"] + 1 if before is not None and stuck else 0
        self._token = uuid.uuid4().hex
        owner: Owner = {
            "token": self._token,
            "driver": driver,
            "step": step,
            "deaths": deaths,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": time.time(),
        }
        self.store.write(self.name(OWNER), checksummed_json.dumps(owner))
        self.store.remove(self.name(ERROR))
        self.store.tidy(self.name(""))
        return deaths

    @property
    def claimed(self) -> bool:
        """Return whether this attempt has claimed the trial."""
        return self._token is not None

    def require_ownership(self) -> None:
        """Raise a SupersededError if another attempt has claimed the trial."""
        owner = self.read(OWNER, _OWNER)
        if self._token is None or (owner is not None and owner["token"] != self._token):
            raise SupersededError(self.key)

    def commit_checkpoint(self, step: int, data: bytes) -> None:
        """Write the checkpoint of this gradient step, and keep the previous one."""
        self.require_ownership()
        name = f"checkpoint-{step:010d}-{hashlib.sha256(data).hexdigest()[:32]}.pt"
        self.store.write(self.name(name), data)
        # Others at the same step could not be loaded when this attempt began.
        earlier = [other for other in self._checkpoint_names() if other < name[: name.rindex("-")]]
        self._keep_checkpoints([name, *earlier[: KEPT_CHECKPOINTS - 1]])

    def checkpoints(self) -> list[Checkpoint]:
        """Return the undamaged checkpoints, newest first."""
        found = []
        for name in self._checkpoint_names():
            data = self.store.read(self.name(name))
            match = _CHECKPOINT.fullmatch(name)
            if data is None or match is None:
                continue
            if hashlib.sha256(data).hexdigest()[:32] == match["digest"]:
                found.append(Checkpoint(name, int(match["step"]), data))
        return found

    def commit_policy(self, name: str, data: bytes) -> None:
        """Write a policy file, before the checkpoint or result with its evaluation."""
        self.require_ownership()
        self.store.write(self.name(name), data)

    def policies(self) -> dict[str, str]:
        """Return the names of the saved policies, each with the SHA-256 of its file."""
        found = {}
        for path in self.store.names(f"{TRIALS}/{self.key}"):
            name = path.rpartition("/")[2]
            data = self.store.read(path) if chosen_of(name) else None
            if data is not None:
                found[name] = hashlib.sha256(data).hexdigest()
        return found

    def commit_result(self, content: ResultContent) -> None:
        """Write the result of the trial, unless it already has a valid one."""
        self.require_ownership()
        data = checksummed_json.dumps({**content, "trial": self.digest})
        while not self.store.create(self.name(RESULT), data):
            if self.result() is not None:
                break
            self.store.remove(self.name(RESULT))
        self._keep_checkpoints(self._checkpoint_names()[:1])

    def commit_rung(self, content: ResultContent) -> None:
        """Write the evaluations up to a rung, after the checkpoint from which the trial may continue."""
        self.require_ownership()
        self.store.write(self.name(RUNG), checksummed_json.dumps({**content, "trial": self.digest}))

    def rung(self) -> TrialResult | None:
        """Return the evaluations up to the last rung that the trial has reached, as `result`."""
        return self._read_result(RUNG)

    def result(self) -> TrialResult | None:
        """Return the result; None if it is missing, damaged or of other settings.

        Raises:
            HarnessError: if the file is intact but not the result of this trial.
        """
        return self._read_result(RESULT)

    def _read_result(self, file: str) -> TrialResult | None:
        content = self.read(file, _MAPPING)
        if content is None or not self.is_of_trial(content.get("trial")):
            return None
        return trial_result.parse(content, self.trial, f"{self.store.target}/{self.name(file)}")

    def commit_error(self, reason: str, driver: int, diverged: bool = False) -> None:
        """Record why this attempt of a driver failed, and whether training diverged."""
        self.require_ownership()
        failure: Failure = {"reason": reason, "driver": driver, "diverged": diverged, "trial": self.digest}
        self.store.write(self.name(ERROR), checksummed_json.dumps({**failure, "time": time.time()}))

    def failure(self) -> Failure | None:
        """Return how the last attempt failed; None if it did not."""
        return self.read(ERROR, _FAILURE)

    def diverged(self) -> bool:
        """Return whether the last attempt failed because training diverged."""
        failure = self.failure()
        return (
            failure is not None and failure.get("diverged", False) and self.is_of_trial(failure.get("trial"))
        )

    def write_progress(self, content: Mapping[str, object]) -> None:
        """Record the latest evaluation, for `harness status`."""
        self.store.write(
            self.name(PROGRESS), checksummed_json.dumps({**content, "trial": self.digest}), lasting=False
        )

    def progress(self) -> ProgressNote | None:
        """Return the latest recorded evaluation of the trial."""
        content = self.read(PROGRESS, _PROGRESS)
        return content if content is not None and self.is_of_trial(content.get("trial")) else None

    def is_of_other_code(self) -> bool:
        """Return whether the trial was trained with another version of its algorithm or of this package.

        Other settings than those of the experiment are rejected before.
        """
        found = self.read(PROGRESS, _MAPPING) or self.read(RESULT, _MAPPING)
        return found is not None and not self.is_of_trial(found.get("trial"))

    def read(self, file: str, shape: TypeAdapter[T]) -> T | None:
        """Return the content of a file; None if it is missing, damaged or of another type."""
        data = self.store.read(self.name(file))
        if data is None:
            return None
        try:
            return checksummed_json.load(data, shape)
        except DamagedError:
            return None

    def _checkpoint_names(self) -> list[str]:
        names = [name.rpartition("/")[2] for name in self.store.names(f"{TRIALS}/{self.key}")]
        return sorted((name for name in names if _CHECKPOINT.fullmatch(name)), reverse=True)

    def _keep_checkpoints(self, kept: list[str]) -> None:
        for name in self._checkpoint_names():
            if name not in kept:
                self.store.remove(self.name(name))
