"""Small learners on random transitions."""

import torch

from harness.algorithms import TrainingData, hyperparameters_class, learner_class
from harness.algorithms.fused.buffers import InputBatch
from harness.algorithms.registry import BUILT_IN

STATES, ACTIONS, MAX_ACTION = 5, 2, 1.5
LEARNERS = [
    (name, implementation)
    for name, algorithm in BUILT_IN.items()
    for implementation in ("autograd", "fused")
    if implementation == "autograd" or algorithm.fused
]
"""What holds for every learner is tested for each."""
FUSED = [name for name, algorithm in BUILT_IN.items() if algorithm.fused]
FEW = {"cql": {"sampled_actions": 2}, "edac": {"critics": 3}}
"""What most of the work of an algorithm depends on, made small."""


def policy_freq(algorithm, steps):
    """The setting, for algorithms that have it."""
    return {"policy_freq": steps} if "policy_freq" in hyperparameters_class(algorithm).model_fields else {}


def transitions(count=400, seed=0, dtype=None):
    """Rows of (state, action, reward, next state, terminal, next action)."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, 2 * STATES + 2 * ACTIONS + 2, generator=generator)
    rows[:, STATES : STATES + ACTIONS].tanh_().mul_(MAX_ACTION)
    rows[:, -ACTIONS:].tanh_().mul_(MAX_ACTION)
    rows[:, TERMINAL] = (torch.rand(count, generator=generator) < 0.1).to(rows.dtype)
    return rows.to(dtype or torch.get_default_dtype())


TERMINAL = 2 * STATES + ACTIONS + 1


def statistics():
    return torch.linspace(-1, 1, STATES), torch.linspace(0.5, 2, STATES)


def training_data(rows=None, gradient_steps=1000):
    rows = transitions() if rows is None else rows
    return TrainingData(rows, STATES, ACTIONS, MAX_ACTION, *statistics(), gradient_steps=gradient_steps)


def make(algorithm, implementation="auto", *, seeds=(0,), rows=None, stacked=None, device="cpu", **settings):
    small = {"batch_size": 32, "hidden_sizes": (24, 16), **FEW.get(algorithm, {})}
    settings = small | {"implementation": implementation} | settings
    hyperparameters = hyperparameters_class(algorithm)(**settings)
    return learner_class(hyperparameters)(
        hyperparameters, training_data(rows), seeds, device=device, stacked=stacked
    )


def with_ones(inputs):
    """InputBatch [M, B, in] as the fused networks take them."""
    return InputBatch(torch.cat([torch.ones_like(inputs[..., :1]), inputs], dim=-1))


def initial(sizes, count):
    """Parameters of fused networks, distributed as those of `modules.MLP`."""
    from harness.algorithms.fused.networks import MLPs
    from harness.algorithms.modules import MLP

    torch.manual_seed(0)
    networks = MLPs(sizes, MLPs.zeros(sizes, count))
    for index in range(count):
        for name, tensor in MLP(*sizes).state_dict().items():
            networks.named(index)[name].copy_(tensor)
    return networks.parameters


def assert_equal_states(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[name])), name


def assert_close_states(one, other, tolerance):
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(
            torch.as_tensor(value), torch.as_tensor(other[name]), atol=tolerance, rtol=0, msg=name
        )
