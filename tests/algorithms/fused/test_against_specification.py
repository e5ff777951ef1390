"""The fused learners against the autograd classes: same weights, batches and noise."""

import pytest
import torch

from harness.algorithms.registry import hyperparameters_class
from tests.algorithms.make import FUSED, make

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


NOT_OF_UPDATES = {"algorithm", "label", "precision", "implementation", "state_normalization"}


@pytest.mark.parametrize("algorithm", FUSED)
def test_variants_set_every_hyperparameter(algorithm):
    compared = {name for _, settings in VARIANTS for name in settings}
    fields = hyperparameters_class(algorithm).model_fields.keys()
    assert fields - compared <= NOT_OF_UPDATES


def largest_difference(algorithm, settings, steps=50):
    """Between the weights, targets and moments of both after some steps."""
    states = []
    for implementation in ("autograd", "fused"):
        learner = make(algorithm, implementation, seeds=(3, 0), **settings)
        learner.train(steps)
        states.append(learner.state_dict(1))
    one, other = states
    assert one.keys() == other.keys()
    return max((torch.as_tensor(one[name]) - torch.as_tensor(other[name])).abs().max().item() for name in one)


@pytest.fixture
def _double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize(("algorithm", "settings"), VARIANTS, ids=str)
def test_fused_learner_in_double_precision_equals_its_specification(algorithm, settings):
    assert largest_difference(algorithm, settings) < 1e-9


@pytest.mark.parametrize(("algorithm", "settings"), VARIANTS, ids=str)
def test_fused_learner_in_single_precision_agrees_with_its_specification(algorithm, settings):
    assert largest_difference(algorithm, settings) < 1e-4


@pytest.mark.usefixtures("_double_precision")
@pytest.mark.parametrize("algorithm", FUSED)
def test_fused_learner_at_the_papers_sizes_equals_its_specification(algorithm):
    """In double precision: Adam turns a gradient that is rounding noise alone, which a few of 71,424 weights
    have, into a whole step, so that two orders of summation part in single precision."""
    assert largest_difference(algorithm, {"hidden_sizes": (256, 256), "batch_size": 256}, steps=11) < 1e-9


@pytest.mark.parametrize("algorithm", FUSED)
def test_fused_learner_continues_from_a_checkpoint_of_its_specification(algorithm):
    specification, fused = (make(algorithm, implementation) for implementation in ("autograd", "fused"))
    specification.train(11)
    fused.load_state_dict(0, specification.state_dict(0))
    specification.train(10)
    fused.train(10)
    one, other = specification.state_dict(0), fused.state_dict(0)
    for name in one:
        torch.testing.assert_close(
            torch.as_tensor(one[name]), torch.as_tensor(other[name]), atol=1e-4, rtol=0, msg=name
        )


def test_moments_of_dead_units_end_at_zero():
    learner = make("bc", "fused")
    learner.train(1)
    moments = learner._optimizers["actor"].first_moments
    moments.fill_(1e-37)
    learner._networks["actor"].parameters.zero_()  # where every hidden unit is dead
    learner.train(80)
    hidden = learner._networks["actor"].named(0, moments)["0.weight"]
    assert hidden.count_nonzero() == 0
