import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from harness.algorithms.modules import DeterministicActor, GaussianActor, TanhGaussianActor
from harness.algorithms.policy import policy_of
from harness.errors import HarnessError
from harness.policies.action_range import ActionRange, RescaledPolicy
from harness.policies.files import PolicyInfo, dumps, loads

INFO = PolicyInfo(
    variant="td3_bc",
    algorithm="td3_bc",
    dataset="pendulum-expert-v0",
    dataset_digest="0" * 64,
    seed=3,
    step=100,
    chosen="final",
    environment="Pendulum-v1",
    evaluation_seed=100,
    episode_returns=(-1.5, -2.0),
    reference=(-1200.0, -150.0),
)
ACTORS = {
    "deterministic": lambda actions: DeterministicActor(
        3, 16, 16, actions, max_action=2.0, layer_norm="after"
    ),
    "gaussian": lambda actions: GaussianActor(3, 16, actions, max_action=2.0),
    "tanh gaussian": lambda actions: TanhGaussianActor(3, 16, actions, max_action=2.0),
    "torch": lambda actions: nn.Sequential(nn.Linear(3, 16), nn.GELU(), nn.Linear(16, actions)),
}


def policy(kind="deterministic", actions=2):
    torch.manual_seed(0)
    return policy_of(ACTORS[kind](actions), torch.tensor([0.5, -1.0, 0.0]), torch.tensor([1.0, 2.0, 0.5]))


def observations():
    return np.random.default_rng(0).standard_normal((10, 3))


@pytest.mark.parametrize("kind", ACTORS)
@pytest.mark.parametrize("rescaled", [False, True])
def test_loads_of_a_saved_policy_returns_the_same_actions(kind, rescaled):
    original = policy(kind)
    if rescaled:
        original = RescaledPolicy(original, ActionRange((0.0, -1.0), (5.0, 2.0)))
    saved = loads(dumps(original, INFO, 3, 2), "x.npz")
    np.testing.assert_array_equal(saved(observations()), original(observations()))
    np.testing.assert_allclose(saved(observations()[0]), saved(observations())[0], atol=1e-6)
    assert saved.info == INFO
    action, state = saved.predict(observations()[0], state=None)
    assert (action.shape, state) == ((2,), None)


@pytest.mark.parametrize("kind", ACTORS)
def test_loaded_policy_can_be_pickled(kind):
    saved = loads(dumps(policy(kind), INFO, 3, 2), "x.npz")
    sent = pickle.loads(pickle.dumps(saved))
    np.testing.assert_array_equal(sent(observations()), saved(observations()))


def test_loads_keeps_non_finite_returns():
    info = INFO.model_copy(update={"episode_returns": (float("nan"), float("inf"))})
    assert str(loads(dumps(policy(), info, 3, 2), "x.npz").info.episode_returns) == "(nan, inf)"


def test_loads_keeps_infinite_arguments_of_the_environment():
    changes = {"kwargs": {"healthy_z_range": [0.8, float("inf")]}}
    info = INFO.model_copy(update={"environment_changes": changes})
    assert loads(dumps(policy(), info, 3, 2), "x.npz").info.environment_changes == changes


def test_dumps_writes_counts_as_whole_numbers():
    with np.load(io.BytesIO(dumps(policy("tanh gaussian"), INFO, 3, 2))) as arrays:
        assert b'"count":2}' in arrays["content"].tobytes()


def test_dumps_is_deterministic():
    assert dumps(policy(), INFO, 3, 2) == dumps(policy(), INFO, 3, 2)


def test_loads_of_known_layers_does_not_import_torch(tmp_path):
    (tmp_path / "policy.npz").write_bytes(dumps(policy(), INFO, 3, 2))
    code = (
        "import sys; from harness.policies.files import loads; import numpy as np;"
        "p = loads(open(sys.argv[1], 'rb').read(), 'x'); p(np.zeros(3)); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "policy.npz")], check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 2, 3), ()])
def test_call_with_observations_of_another_size_raises(shape):
    with pytest.raises(ValueError, match=r"expected observations \[3\] or \[E, 3\], got"):
        loads(dumps(policy(), INFO, 3, 2), "x.npz")(np.zeros(shape))


def changed(**arrays):
    with np.load(io.BytesIO(dumps(policy(), INFO, 3, 2))) as original:
        content = {**dict(original), **arrays}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in content.items() if value is not None})
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        dumps(policy(), INFO, 3, 2)[:-100],
        changed(content=None),
        changed(content=np.frombuffer(b"{}", np.uint8)),
        changed(state_mean=None),
        changed(**{"0.weight": np.zeros((4, 16), np.float32)}),
        changed(content=np.array([{"a": 1}], dtype=object)),
        dumps(policy(), INFO, 10**15, 2),
    ],
    ids=[
        "empty",
        "text",
        "cut",
        "no content",
        "wrong content",
        "no mean",
        "wrong shape",
        "pickle",
        "endless",
    ],
)
def test_load_of_a_file_that_is_not_a_policy_raises_one_line(data):
    with pytest.raises(HarnessError, match=r"^x.npz: not a policy file, or damaged \(.*\)$"):
        loads(data, "x.npz")


def test_load_of_a_file_in_another_format_does_not_suggest_pickle():
    with pytest.raises(HarnessError, match=r"damaged \(it is not an npz file\)$"):
        loads(b"import torch", "x.npz")


def test_load_of_an_npz_file_of_other_arrays_says_what_is_missing():
    with pytest.raises(HarnessError, match=r"damaged \(it has no array 'content'\)$"):
        loads(changed(content=None), "x.npz")


@pytest.mark.parametrize("kind", ACTORS)
def test_repr_of_a_policy_does_not_contain_its_weights(kind):
    assert "array" not in repr(loads(dumps(policy(kind), INFO, 3, 2), "x.npz"))
    assert "weight" not in repr(policy(kind))
