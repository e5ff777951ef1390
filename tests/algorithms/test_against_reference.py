"""The learners against the plain autograd form: same weights, batches and noise."""

from functools import lru_cache

import pytest
import torch

from harness.algorithms.streams import CHUNK, generator
from tests.algorithms.make import ACTIONS, MAX_ACTION, STATES, make, statistics, transitions
from tests.algorithms.reference import Reference

PENDULUM_NOTES = {
    "actor_learning_rate": 1e-4,
    "critic_learning_rate": 1e-3,
    "target_noise": 0.1,
    "target_noise_clip": 0.3,
    "gradient_norm_clip": 1.0,
}

VARIANTS = [
    ("bc", {}),
    ("bc", {"gradient_norm_clip": 0.05}),
    ("bc", {"hidden_sizes": (16,)}),
    ("bc", {"actor_learning_rate": 1e-3, "hidden_sizes": (8, 24, 16), "batch_size": 7}),
    ("td3", {}),
    ("td3", {"policy_freq": 1}),
    ("td3", {"policy_freq": 3, "discount": 0.9, "tau": 0.1}),
    ("td3", {"policy_freq": 20}),
    ("td3", {"gradient_norm_clip": 0.05}),
    ("td3", {"target_noise": 1.0, "target_noise_clip": 0.1}),
    ("td3_bc", {}),
    ("td3_bc", PENDULUM_NOTES),
    ("td3_bc", {"policy_freq": 1, "alpha": 1.0}),
    ("td3_bc", {"policy_freq": 5, "alpha": 10.0}),
    ("td3_bc", {"alpha": 0.0}),
    ("td3_bc", {"behaviour_cloning": False}),
    ("td3_bc", {"normalize_lambda": False, "alpha": 0.7}),
    ("td3_bc", {"behaviour_cloning": False, "normalize_lambda": False}),
    ("td3_bc", {"hidden_sizes": (16, 16, 16), "gradient_norm_clip": 0.01}),
    ("td3_bc", {"hidden_sizes": (16,)}),
]


def reference_of(learner, rows):
    mean, scale = statistics()
    reference = Reference(
        learner.hyperparameters,
        rows,
        observation_size=STATES,
        action_size=ACTIONS,
        max_action=MAX_ACTION,
        mean=mean,
        scale=scale,
    )
    reference.load(learner.state_dict(0))
    return reference


@lru_cache(maxsize=4)
def chunk_of_draws(hyperparameters, count, chunk, dtype):
    """The batch indices and the clipped noise of a chunk of steps of seed 0, by what the streams promise."""
    rows = CHUNK * hyperparameters.batch_size
    indices = torch.randint(count, (rows,), generator=generator(0, "batches", chunk))
    if hyperparameters.algorithm == "bc":
        return (indices,)
    noise = torch.randn(rows, ACTIONS, generator=generator(0, "target noise", chunk), dtype=dtype)
    clip = hyperparameters.target_noise_clip
    return indices, MAX_ACTION * (noise * hyperparameters.target_noise).clamp(-clip, clip)


def draws(hyperparameters, count, step):
    chunk, offset = divmod(step, CHUNK)
    rows = slice(offset * hyperparameters.batch_size, (offset + 1) * hyperparameters.batch_size)
    return [
        numbers[rows] for numbers in chunk_of_draws(hyperparameters, count, chunk, torch.get_default_dtype())
    ]


def largest_difference(algorithm, settings, steps=50):
    rows = transitions()
    learner = make(algorithm, rows=rows, **settings)
    reference = reference_of(learner, rows)
    for step in range(steps):
        reference.step(*draws(learner.hyperparameters, len(rows), step))
    learner.train(steps)
    state = learner.state_dict(0)
    return max((state[name] - weight).abs().max().item() for name, weight in reference.weights().items())


@pytest.fixture
def _double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize(("algorithm", "settings"), VARIANTS, ids=str)
def test_formulas_are_those_of_autograd(algorithm, settings):
    assert largest_difference(algorithm, settings) < 1e-9


@pytest.mark.parametrize(("algorithm", "settings"), VARIANTS, ids=str)
def test_weights_agree_in_single_precision(algorithm, settings):
    assert largest_difference(algorithm, settings) < 1e-6


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize("algorithm", ["bc", "td3", "td3_bc"])
def test_weights_agree_at_the_papers_sizes(algorithm):
    """In double precision: Adam turns a gradient of rounding noise alone, which a few of 71,424 weights get,
    into a whole step, so that two orders of summation part in single precision."""
    assert largest_difference(algorithm, {"hidden_sizes": (256, 256), "batch_size": 256}) < 1e-9
