"""Exported policies give the same actions as the policies themselves."""

import io
import sys

import numpy as np
import pytest
import torch
from torch import nn

from harness.algorithms import export
from harness.errors import HarnessError
from harness.policies.action_range import ActionRange, RescaledPolicy
from harness.policies.files import PolicyInfo, dumps, loads
from harness.policies.policy import NumpyPolicy
from harness.policies.torch_policy import TorchPolicy
from tests.policies.test_files import ACTORS, INFO, observations, policy

RANGES = {"symmetric": None, "rescaled": ActionRange((0.0, -1.0), (5.0, 2.0))}
KINDS = [(kind, limits) for kind in ACTORS for limits in RANGES]


def saved(kind, limits):
    original = policy(kind)
    if RANGES[limits] is not None:
        original = RescaledPolicy(original, RANGES[limits])
    return loads(dumps(original, INFO, 3, 2), "x.npz")


@pytest.mark.parametrize(("kind", "limits"), KINDS)
@pytest.mark.parametrize("count", [1, 10])
def test_torchscript_gives_the_same_actions(kind, limits, count):
    original = saved(kind, limits)
    extra = {export.INFO: ""}
    module = torch.jit.load(io.BytesIO(export.to_torchscript(original)), _extra_files=extra)
    states = observations()[:count]
    actions = module(torch.as_tensor(states, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(actions, original(states), rtol=0, atol=1e-6)
    assert PolicyInfo.model_validate_json(extra[export.INFO]) == INFO


@pytest.mark.parametrize(("kind", "limits"), KINDS)
def test_onnx_gives_the_same_actions(kind, limits):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    original = saved(kind, limits)
    session = onnxruntime.InferenceSession(export.to_onnx(original))
    for states in (observations()[:1], observations()):
        (actions,) = session.run(None, {"observations": states.astype(np.float32)})
        np.testing.assert_allclose(actions, original(states), rtol=0, atol=1e-6)
    assert PolicyInfo.model_validate_json(session.get_modelmeta().custom_metadata_map["info"]) == INFO


def test_missing_onnx_names_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(HarnessError, match=r"pip install 'offline-rl-harness\[export\]'"):
        export.to_onnx(saved("deterministic", "symmetric"))


class Unknown(nn.Module):
    def forward(self, states):
        return states[:, :2] * torch.linalg.eigvalsh(states.T @ states)[0]


def test_network_that_onnx_cannot_express_gets_one_line():
    pytest.importorskip("onnx")
    policy = TorchPolicy(Unknown(), np.zeros(3, np.float32), np.ones(3, np.float32))
    with pytest.raises(HarnessError, match=r"^x.npz: cannot export to ONNX \(.*\)$"):
        export.to_onnx(loads(dumps(policy, INFO, 3, 2), "x.npz"))


def test_every_layer_of_a_policy_file_has_a_module():
    from harness.policies.files import LAYERS

    values = {"weight": np.ones((3, 3), np.float32), "bias": np.ones(3, np.float32)}
    numbers = {"epsilon": 1e-5, "factor": 2.0, "low": -1.0, "high": 1.0, "count": 2}
    for kind, layer in LAYERS.items():
        given = {**values, "weight": np.ones(3, np.float32)} if kind == "layer_norm" else values
        fields = layer.__dataclass_fields__
        made = layer(**{name: value for name, value in (given | numbers).items() if name in fields})
        states = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
        whole = NumpyPolicy([made], np.zeros(3, np.float32), np.ones(3, np.float32))
        module = export._Actor(whole)
        np.testing.assert_allclose(module(torch.from_numpy(states)).detach(), whole(states), atol=1e-6)
