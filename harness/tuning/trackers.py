"""Weights & Biases and MLflow, through Ray's own callbacks. They mirror a run; the record is elsewhere."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.util import find_spec
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from harness.errors import HarnessError

ANSWER_SECONDS = 7.0


def callbacks(experiment: str, wandb: str | None, mlflow: str | None) -> Callable[[], list[Any]]:
    """What makes the callbacks that are asked for, once Ray is up.

    Args:
        experiment: the name to log under.
        wandb: a Weights & Biases project.
        mlflow: the URI of an MLflow tracking server or database.

    Raises:
        HarnessError: as `check` does.
    """
    check(wandb, mlflow)

    def make() -> list[Any]:
        made: list[Any] = []
        if wandb:
            from ray.air.integrations.wandb import WandbLoggerCallback

            made.append(WandbLoggerCallback(project=wandb, group=experiment))
        if mlflow:
            from ray.air.integrations.mlflow import MLflowLoggerCallback

            made.append(MLflowLoggerCallback(tracking_uri=mlflow, experiment_name=experiment))
        return made

    return make


def check(wandb: str | None, mlflow: str | None, dry: bool = False) -> None:
    """
    Args:
        dry: leave out what would be written to: MLflow makes a database, or its tables, when it looks for it.

    Raises:
        HarnessError: when a tracker's package is not installed, or it could not log there.
    """
    for option, package in (("--wandb", wandb and "wandb"), ("--mlflow", mlflow and "mlflow")):
        if package and find_spec(package) is None:
            raise HarnessError(
                f"{option} needs the package {package}: pip install 'offline-rl-harness[{package}]'"
            )
    if wandb:
        _require_login()
    if mlflow:
        _require_backend(mlflow, dry)


def _require_login() -> None:
    """As Ray's callback looks for it, which would end a run that has begun."""
    if os.environ.get("WANDB_MODE") in ("offline", "disabled"):
        return
    if "WANDB_API_KEY" in os.environ or "WANDB_SETUP_API_KEY_HOOK" in os.environ:
        return
    with redirect_stderr(io.StringIO()):  # it warns of itself
        import wandb

        key = wandb.api.api_key
    if not key:
        raise HarnessError(
            "--wandb: nobody is logged in to Weights & Biases here; run `wandb login`, or set WANDB_API_KEY "
            "(WANDB_MODE=offline needs neither)"
        )


def _require_backend(uri: str, dry: bool) -> None:
    server = uri.startswith(("http://", "https://"))
    if dry and not server:
        return
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    try:
        MlflowClient(tracking_uri=uri)
        if server:
            urlopen(uri, timeout=ANSWER_SECONDS).close()
    except HTTPError:
        pass  # somebody answers
    except URLError as error:
        raise HarnessError(f"--mlflow {uri}: nobody answers there ({error.reason})") from None
    except Exception as error:  # MLflow's own, those of databases, and modules that these lack
        reason = str(error).strip().splitlines()[0].partition(". ")[0]
        raise HarnessError(
            f"--mlflow {uri}: MLflow cannot log there ({reason}); give a database such as "
            "sqlite:///mlflow.db, or http://HOST:PORT of a server"
        ) from None
