"""Weights & Biases and MLflow, through Ray's own callbacks. They mirror a run; the record is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from harness.errors import HarnessError


def callbacks(experiment: str, wandb: str | None, mlflow: str | None) -> Callable[[], list[Any]]:
    """What makes the callbacks that are asked for, once Ray is up.

    Args:
        experiment: the name to log under.
        wandb: a Weights & Biases project.
        mlflow: the URI of an MLflow tracking server or database.

    Raises:
        HarnessError: when a tracker's package is not installed.
    """
    for option, package in (("--wandb", wandb and "wandb"), ("--mlflow", mlflow and "mlflow")):
        if package and find_spec(package) is None:
            raise HarnessError(
                f"{option} needs the package {package}: pip install 'offline-rl-harness[{package}]'"
            )

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
