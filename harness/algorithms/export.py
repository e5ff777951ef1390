"""Exports policies to TorchScript and ONNX, from observations to actions of the environment in one module.

Torch warns that TorchScript and the ONNX exporter that reads it are deprecated; these warnings are hidden.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from harness.algorithms.policy import module_of
from harness.errors import HarnessError, needs_extra
from harness.policies import ActionRange, NumpyPolicy, Policy, RescaledPolicy
from harness.policies.files import SavedPolicy
from harness.policies.torch_policy import TorchPolicy

OBSERVATIONS, ACTIONS = "observations", "actions"
"""The names of the input and the output in ONNX files."""
OPSET = 17
"""The first ONNX operator set with layer normalisation (ONNX 1.12, 2022)."""
INFO = "info.json"


def to_torchscript(policy: SavedPolicy) -> bytes:
    """Return a TorchScript archive that maps float32 observations [E, S] to actions [E, A].

    Its extra file `info.json` states where the policy comes from.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(_traced(policy), buffer, _extra_files={INFO: policy.info.model_dump_json()})
    return buffer.getvalue()


def to_onnx(policy: SavedPolicy) -> bytes:
    """Return an ONNX model that maps float32 `observations` [E, S] to `actions` [E, A].

    Its metadata property `info` states where the policy comes from.

    Raises:
        HarnessError: when the package onnx is not installed, or ONNX lacks an operation of the network.
    """
    with needs_extra("export", "ONNX files need the package onnx"):
        import onnx
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(action="ignore"):
            # torch's newer exporter needs onnxscript too, and cannot read TorchScript.
            torch.onnx.export(
                _traced(policy),
                (_example(policy),),
                buffer,  # type: ignore[arg-type]  # its annotation forgets files
                dynamo=False,
                opset_version=OPSET,
                input_names=[OBSERVATIONS],
                output_names=[ACTIONS],
                dynamic_axes={OBSERVATIONS: {0: "E"}, ACTIONS: {0: "E"}},
            )
    except torch.onnx.OnnxExporterError as error:
        reason = " ".join(str(error).split())[:200]
        raise HarnessError(f"{policy.source}: cannot export to ONNX ({reason})") from None
    model = onnx.load_from_string(buffer.getvalue())
    onnx.helper.set_model_props(model, {"info": policy.info.model_dump_json()})
    content: bytes = model.SerializeToString()
    return content


class _Actor(nn.Module):
    """Normalises observations, applies the network, and rescales its actions to the environment's range."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        inner = policy.policy if isinstance(policy, RescaledPolicy) else policy
        assert isinstance(inner, NumpyPolicy | TorchPolicy)
        self.state_mean = nn.Buffer(torch.from_numpy(inner.state_mean))
        self.state_scale = nn.Buffer(torch.from_numpy(inner.state_scale))
        if isinstance(inner, NumpyPolicy):
            self.network: nn.Module = nn.Sequential(*map(module_of, inner.layers))
        else:
            self.network = inner.module
        self.rescale: nn.Module = nn.Identity()
        if isinstance(policy, RescaledPolicy):
            self.rescale = _Rescale(policy.action_range)

    def forward(self, observations: Tensor) -> Tensor:
        actions: Tensor = self.rescale(self.network((observations - self.state_mean) / self.state_scale))
        return actions


class _Rescale(nn.Module):
    """Computes `ActionRange.to_environment` in torch."""

    def __init__(self, action_range: ActionRange) -> None:
        super().__init__()
        low, high = torch.tensor([action_range.low, action_range.high], dtype=torch.float64)
        self.middle = nn.Buffer(low + (high - low) / 2)
        self.half_width = nn.Buffer((high - low) / 2)
        self.low = nn.Buffer(low.float())
        self.high = nn.Buffer(high.float())

    def forward(self, actions: Tensor) -> Tensor:
        return (actions.double() * self.half_width + self.middle).float().minimum(self.high).maximum(self.low)


def _traced(policy: SavedPolicy) -> torch.jit.ScriptModule:
    actor = _Actor(policy.policy).eval().requires_grad_(False)
    traced: Any = torch.jit.trace(actor, _example(policy))  # type: ignore[no-untyped-call]
    assert isinstance(traced, torch.jit.ScriptModule)
    return traced


def _example(policy: SavedPolicy) -> Tensor:
    return torch.zeros(2, policy.observation_size)
