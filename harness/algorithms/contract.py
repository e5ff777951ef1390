"""Checks that a user's algorithm keeps the contract of a learner, and reports where its code does not."""

from __future__ import annotations

import inspect
import signal
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from textwrap import shorten

import numpy as np
import torch
from torch import Tensor, nn

from harness.columns import COLUMNS
from harness.errors import HarnessError, typed_line
from harness.policies import Policy
from harness.policies.torch_policy import TorchPolicy, to_torchscript

OURS = ("harness.", "builtins.", "abc.", "typing.")
LONGEST = 300
"""The length at which the message of an exception is cut; torch lists the signatures of a whole function."""


@contextmanager
def errors_with_their_line(algorithm: type) -> Iterator[None]:
    """Turn an exception raised in a user's file into a one-line error that names the file and line."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename in _files_of(algorithm)]
        if not own or (isinstance(error, SystemExit) and _by_a_signal(error)):
            raise
        reason = str(error) if isinstance(error, HarnessError) else shorten(typed_line(error), LONGEST)
        raise HarnessError(f"{own[-1].filename}:{own[-1].lineno}: {reason}") from error


def _by_a_signal(error: SystemExit) -> bool:
    """Return whether the handler of SIGTERM raised an exception, as that of Ray does."""
    handler = getattr(signal.getsignal(signal.SIGTERM), "__code__", None)
    return any(frame.f_code is handler for frame, _ in traceback.walk_tb(error.__traceback__))


@cache
def _files_of(algorithm: type) -> frozenset[str]:
    """Return the files that define a class and its bases, except those of this package."""
    return frozenset(
        inspect.getfile(each) for each in algorithm.__mro__ if not f"{each.__module__}.".startswith(OURS)
    )


def require_networks(algorithm: type, networks: object, taken: Collection[str]) -> dict[str, nn.Module]:
    """Return what `networks` returned; raise a HarnessError unless it is a dictionary of separate modules.

    A name must not be `taken` by another attribute, so that each network can be called as `self.NAME`.
    """
    if not isinstance(networks, dict) or not all(
        isinstance(name, str) and isinstance(module, nn.Module) for name, module in networks.items()
    ):
        raise HarnessError(f"{algorithm.__name__}.networks must return a dictionary of torch modules by name")
    for name in networks:
        if name in taken:
            raise HarnessError(
                f"{algorithm.__name__}.networks: {name!r} is taken: self.{name} is another attribute of a "
                "learner; rename this network"
            )
    places: dict[int, str] = {}
    for name, module in networks.items():
        for key, tensor in module.state_dict(keep_vars=True).items():
            place = f"{name}.{key}"
            if places.setdefault(id(tensor), place) != place:
                raise HarnessError(
                    f"{algorithm.__name__}.networks: {places[id(tensor)]} and {place} are the same tensor; "
                    "return a shared module once, as a separate network, and call it in update()"
                )
    return networks


def require_loss(names: str, loss: object, seeds: int) -> Tensor:
    """Return the loss [M, n] or [M] of networks, averaged over n and summed over seeds: [].

    Raises:
        HarnessError: for a loss of another shape, and for one that no parameter affects.
    """
    if not isinstance(loss, Tensor) or loss.dim() not in (1, 2) or loss.shape[0] != seeds:
        raise HarnessError(
            f"the loss of {names} must have shape [{seeds}, n] or [{seeds}] (M = {seeds} seeds first), got "
            f"{_shape(loss)}"
        )
    if not loss.requires_grad:
        raise HarnessError(f"the loss of {names} does not depend on any network")
    return loss.sum() if loss.dim() == 1 else loss.mean(1).sum()


def require_metrics(algorithm: type, metrics: object, seeds: int) -> dict[str, Tensor]:
    """Return what `update` returned, without gradients.

    Raises:
        HarnessError: for anything but metrics [M] by name, and for the name of a column of all results.
    """
    update = f"{algorithm.__name__}.update"
    if not isinstance(metrics, dict):
        raise HarnessError(f"{update} must return a dictionary of metrics, got {type(metrics).__name__}")
    for name, value in metrics.items():
        if not isinstance(value, Tensor) or value.shape != (seeds,):
            raise HarnessError(
                f"{update}: metric {name!r} must be a tensor of shape [M] = [{seeds}], got {_shape(value)}"
            )
        if name in COLUMNS:
            raise HarnessError(f"{update}: metric {name!r} is another column of results; rename this metric")
    return {name: value.detach() for name, value in metrics.items()}


def require_policy(name: str, policy: Policy, observation_size: int, action_size: int) -> None:
    """Raise a HarnessError unless a policy maps observations [n, S] to actions [n, A] and can be saved.

    The message begins with `name`.
    """
    advice = (
        "policy_module() must return a network, or its name, whose output or deterministic_action(states) is "
        "[n, A] for states [n, S]"
    )
    for count in (1, 2):  # a squeeze() in the network drops the dimension of a single observation
        observations = np.zeros((count, observation_size), np.float32)
        try:
            shape = policy(observations).shape
        except Exception as error:  # a user's module can raise anything
            raise HarnessError(
                f"{name}: its policy cannot act on observations {list(observations.shape)} "
                f"({typed_line(error)}); {advice}"
            ) from None
        if shape != (count, action_size):
            raise HarnessError(
                f"{name}: its policy returns actions of shape {list(shape)} for observations "
                f"{list(observations.shape)}; expected {[count, action_size]}; {advice}"
            )
    if isinstance(policy, TorchPolicy):
        try:
            to_torchscript(policy)
        except HarnessError as error:
            raise HarnessError(f"{name}: {error}") from None


def _shape(value: object) -> str:
    return str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__
