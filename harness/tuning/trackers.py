"""Logs a run to Weights & Biases or MLflow: one tracker run per trial, with gradient steps as steps."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from typing_extensions import override

from harness.errors import HarnessError, first_line
from harness.trial import Trial
from harness.tuning.launch import Options
from harness.tuning.tracking import Ended, Tracker

if TYPE_CHECKING:
    import wandb
    from mlflow import MlflowClient

ANSWER_SECONDS = 7.0


class WandbTracker(Tracker):
    """Logs to Weights & Biases, where a resumed trial continues its run."""

    def __init__(self, project: str, experiment: str, target: str) -> None:
        self._project = project
        self._experiment = experiment
        self._target = target
        self._runs: dict[str, wandb.Run] = {}

    def __str__(self) -> str:
        return "Weights & Biases"

    @override
    def start(self, trial: Trial) -> int:
        import wandb

        run = self._runs[trial.key] = wandb.init(
            project=self._project,
            group=self._experiment,
            id=_run_id(self._target, trial),
            name=trial.key,
            config=parameters(trial),
            resume="allow",
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off"),
        )
        return int(run.step) - 1

    @override
    def log(self, key: str, step: int, metrics: Mapping[str, float]) -> None:
        self._runs[key].log(dict(metrics), step=step)

    @override
    def end(self, key: str, ended: Ended) -> None:
        self._runs.pop(key).finish(exit_code=0 if ended == "finished" else 1)


class MlflowTracker(Tracker):
    """Logs to an MLflow tracking server or database, where a resumed trial continues its run."""

    TAG = "harness.run_id"
    STATUS: ClassVar[dict[Ended, str]] = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}

    def __init__(self, uri: str, experiment: str, target: str) -> None:
        self._uri = uri
        self._target = target
        self._ids: dict[str, str] = {}
        self._client = _mlflow_client(uri)
        found = self._client.get_experiment_by_name(experiment)
        self._experiment: str = found.experiment_id if found else self._client.create_experiment(experiment)

    def __str__(self) -> str:
        return f"MLflow at {self._uri}"

    @override
    def start(self, trial: Trial) -> int:
        from mlflow.entities import Param

        run_id = _run_id(self._target, trial)
        found = self._client.search_runs([self._experiment], f"tags.`{self.TAG}` = '{run_id}'", max_results=1)
        if found:
            run = self._ids[trial.key] = found[0].info.run_id
            self._client.update_run(run, status="RUNNING")
            history = self._client.get_metric_history(run, "return_mean")
            return max((metric.step for metric in history), default=-1)
        created = self._client.create_run(self._experiment, run_name=trial.key, tags={self.TAG: run_id})
        self._ids[trial.key] = created.info.run_id
        params = [
            Param(_mlflow_name(name), value if isinstance(value, str) else json.dumps(value))
            for name, value in parameters(trial).items()
        ]
        self._client.log_batch(created.info.run_id, params=params)
        return -1

    @override
    def log(self, key: str, step: int, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        logged = [Metric(_mlflow_name(name), value, now, step) for name, value in metrics.items()]
        self._client.log_batch(self._ids[key], metrics=logged)

    @override
    def end(self, key: str, ended: Ended) -> None:
        self._client.set_terminated(self._ids.pop(key), self.STATUS[ended])


def make_trackers(experiment: str, target: str, options: Options) -> list[Tracker]:
    """Create the requested trackers; the same trial in another results directory has a separate run."""
    trackers: list[Tracker] = []
    if options.wandb:
        trackers.append(WandbTracker(options.wandb, experiment, target))
    if options.mlflow:
        trackers.append(MlflowTracker(options.mlflow, experiment, target))
    return trackers


def parameters(trial: Trial) -> dict[str, Any]:
    """Return all settings of a trial as flat parameters to filter runs by.

    Hyper-parameters have their plain name (`alpha`), other settings are prefixed with their section
    (`training.gradient_steps`).
    """
    settings = trial.model_dump(mode="json")
    hyperparameters = settings["hyperparameters"]
    identity = {
        "variant": trial.algorithm,
        "algorithm": hyperparameters.pop("algorithm", trial.algorithm),
        "dataset": trial.dataset.name,
        "seed": trial.seed,
    }
    own = {
        name if name not in identity else f"hyperparameters.{name}": value
        for name, value in hyperparameters.items()
    }
    sections = {
        f"{section}.{name}": value
        for section in ("dataset", "data", "training", "evaluation")
        for name, value in settings[section].items()
        if value is not None and (section, name) != ("dataset", "name")
    }
    return identity | own | sections


def check(options: Options, dry: bool = False) -> None:
    """Raise a HarnessError if a requested tracker is not installed, or metrics cannot be logged to it.

    A `dry` check skips what would write: MLflow creates a database and its tables when it opens it.
    """
    if options.wandb:
        _require_package("wandb")
        _require_login()
    if options.mlflow:
        _require_package("mlflow")
        _require_backend(options.mlflow, dry)


def _require_package(name: str) -> None:
    if find_spec(name) is None:
        raise HarnessError(f"--{name} requires the package {name}: pip install 'offline-rl-harness[{name}]'")


def _require_login() -> None:
    if os.environ.get("WANDB_MODE") in ("offline", "disabled") or "WANDB_API_KEY" in os.environ:
        return
    with redirect_stderr(io.StringIO()):  # wandb prints its own warning
        import wandb

        key = wandb.api.api_key
    if not key:
        raise HarnessError(
            "--wandb: not logged in to Weights & Biases; run `wandb login`, or set WANDB_API_KEY "
            "(WANDB_MODE=offline needs neither)"
        )


def _require_backend(uri: str, dry: bool) -> None:
    server = uri.startswith(("http://", "https://"))
    if dry and not server:
        return
    try:
        _mlflow_client(uri)
        if server:
            with suppress(HTTPError):  # an error status shows that the server answers
                urlopen(uri, timeout=ANSWER_SECONDS).close()
    except URLError as error:
        raise HarnessError(f"--mlflow {uri}: cannot connect ({error.reason})") from None
    except Exception as error:  # of MLflow, of a database, or for a missing module of a database
        raise HarnessError(
            f"--mlflow {uri}: MLflow cannot log there ({first_line(error).partition('. ')[0]}); give a "
            "database such as sqlite:///mlflow.db, or http://HOST:PORT of a server"
        ) from None


def _mlflow_client(uri: str) -> MlflowClient:
    """Return a client of MLflow, and silence its loggers, whose level it sets when it is imported."""
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri)


def _run_id(target: str, trial: Trial) -> str:
    """Return the id of the tracker run of a trial, which is the same in every attempt."""
    return hashlib.sha256(f"{target}\n{trial.key}\n{trial.digest}".encode()).hexdigest()[:24]


def _mlflow_name(name: str) -> str:
    return re.sub(r"[^\w./ -]", "_", name)
