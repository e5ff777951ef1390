"""Policies with layers that have no numpy form. Only such policies import this module, and thus torch.

Their networks are saved as TorchScript: torch warns that it is deprecated, but no other format loads without
Python code.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.errors import HarnessError, typed_line
from harness.machine import one_thread


@dataclass(frozen=True)
class TorchPolicy:
    """Runs a module on the CPU with one thread, for layers that have no numpy form.

    Attributes:
        module: maps normalised states [E, S] to actions [E, A].
        state_mean: [S]
        state_scale: [S]
    """

    module: nn.Module
    state_mean: NDArray[np.float32]
    state_scale: NDArray[np.float32]

    def __call__(self, observations: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return actions [E, A] for observations [E, S]."""
        states = (observations.astype(np.float32) - self.state_mean) / self.state_scale
        # TorchScript's optimisations round differently than the module that was saved.
        unoptimised = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
        with one_thread(), torch.inference_mode(), unoptimised:
            actions: NDArray[np.float32] = self.module(torch.from_numpy(states)).float().numpy()
        return actions

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle the archive of the network, because TorchScript modules cannot be pickled."""
        if isinstance(self.module, torch.jit.ScriptModule):
            return from_torchscript, (_archive(self.module), self.state_mean, self.state_scale)
        return super().__reduce__()


def to_torchscript(policy: TorchPolicy) -> bytes:
    """Return a policy's network as a TorchScript archive, without the normalisation of states.

    Raises:
        HarnessError: if TorchScript cannot represent the network for any number of states.
    """
    states = torch.linspace(-1, 2, 3 * len(policy.state_mean)).view(3, -1)
    try:
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            traced = torch.jit.trace(policy.module, states[:2])  # type: ignore[no-untyped-call]
            actions = policy.module(states)
            torch.testing.assert_close(traced(states), actions, rtol=1e-3, atol=1e-3, equal_nan=True)
    except Exception as error:  # tracing runs the user's code
        raise HarnessError(
            f"the policy's network cannot be saved as TorchScript ({typed_line(error)[:200]}); let it "
            "compute with tensors only: no branches on their values, and states.shape[0] in place of "
            "len(states)"
        ) from None
    return _archive(traced)


def _archive(module: torch.jit.ScriptModule) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(module, buffer)
    return buffer.getvalue()


def from_torchscript(
    archive: bytes, state_mean: NDArray[np.float32], state_scale: NDArray[np.float32]
) -> TorchPolicy:
    """Return the policy whose network `to_torchscript` wrote."""
    with warnings.catch_warnings(action="ignore"):
        module = torch.jit.load(io.BytesIO(archive), map_location="cpu")  # type: ignore[no-untyped-call]
    return TorchPolicy(module, state_mean, state_scale)
