import subprocess
import sys

import numpy as np

from harness.policies import NumpyPolicy
from harness.policies.layers import Affine, Clip, Columns, LayerNorm, ReLU, Scale, Tanh


def test_numpy_policy_applies_layers_to_normalised_observations():
    weight, bias = np.array([[1.0, -1.0], [0.5, 2.0]], np.float32), np.array([0.25, 0.0], np.float32)
    layers = [Affine(weight, bias), ReLU(), Tanh(), Scale(2.0)]
    policy = NumpyPolicy(layers, np.array([1.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
    actions = policy(np.array([[3.0, 1.0], [1.0, 0.0]]))
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, 2 * np.tanh([[1.75, 1.0], [0.25, 0.0]]), atol=1e-6)


def test_layer_norm_returns_rows_of_mean_0_and_variance_1():
    layer = LayerNorm(np.ones(64, np.float32), np.zeros(64, np.float32), 1e-5)
    rows = layer(np.random.default_rng(0).normal(3, 5, (4, 64)).astype(np.float32))
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(rows.var(axis=1), 1, atol=1e-4)


def test_columns_and_clip_select_and_clip():
    values = np.array([[-3.0, 0.5, 9.0]], np.float32)
    np.testing.assert_array_equal(Clip(-1.0, 1.0)(Columns(2)(values)), [[-1.0, 0.5]])


def test_importing_policies_does_not_import_torch():
    code = "import sys, harness.policies; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
