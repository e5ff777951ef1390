"""What rescaling does to actions, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.spaces import Box
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.policies import ActionRange, RescaledPolicy

STEERING = ActionRange((0.0, -0.785), (5.0, 0.785))
bounds = arrays.arrays(np.float32, 3, elements=st.floats(-1e3, 1e3, width=32))


def test_symmetric_range_leaves_actions_untouched():
    symmetric = ActionRange((-2.0, -2.0), (2.0, 2.0))
    actions = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    assert symmetric.max_action == 2.0
    assert symmetric.to_learner(actions) is actions
    assert symmetric.to_environment(actions) is actions


@pytest.mark.parametrize(
    "action_range",
    [
        STEERING,
        ActionRange((-1.0, -2.0), (1.0, 2.0)),
        ActionRange((-1.0,), (2.0,)),
        ActionRange((0.0,), (1.0,)),
    ],
)
def test_ranges_that_are_rescaled_have_a_largest_action_of_one(action_range):
    assert not action_range.is_symmetric
    assert action_range.max_action == 1.0


def test_bounds_and_middle_map_to_the_unit_interval_and_back():
    actions = np.array([[0, -0.785], [2.5, 0], [5, 0.785]], np.float32)
    unit = np.array([[-1, -1], [0, 0], [1, 1]], np.float32)
    np.testing.assert_allclose(STEERING.to_learner(actions), unit, atol=1e-7)
    np.testing.assert_allclose(STEERING.to_environment(unit), actions, atol=1e-7)


@given(bounds, bounds, arrays.arrays(np.float32, (4, 3), elements=st.floats(-1, 1, width=32)))
def test_actions_for_the_environment_are_within_its_bounds(one, other, unit):
    space = Box(np.minimum(one, other), np.maximum(one, other), dtype=np.float32)
    found = ActionRange.of(space)
    actions = found.to_environment(unit) if not found.is_symmetric else unit * np.float32(found.max_action)
    assert all(space.contains(action) for action in actions)


@given(arrays.arrays(np.float32, (4, 2), elements=st.floats(0, 1, width=32)))
def test_rescaling_and_back_keeps_actions(share):
    low, high = (np.array(values, np.float32) for values in (STEERING.low, STEERING.high))
    actions = low + share * (high - low)
    np.testing.assert_allclose(STEERING.to_environment(STEERING.to_learner(actions)), actions, atol=1e-6)


def test_bounds_that_float32_cannot_express_are_rounded_inwards():
    space = Box(np.array([-0.1]), np.array([0.3]), dtype=np.float64)
    found = ActionRange.of(space)
    assert space.contains(np.array(found.low))
    assert space.contains(np.array(found.high))


def test_dimension_without_width_is_constant():
    fixed = ActionRange((0.5, -1.0), (0.5, 1.0))
    assert fixed.to_learner(np.array([[0.5, 1.0]], np.float32)).tolist() == [[0.0, 1.0]]
    assert fixed.to_environment(np.array([[0.9, 1.0]], np.float32)).tolist() == [[0.5, 1.0]]


def test_actions_outside_the_range_are_described():
    inside = np.array([[0.0, 0.785], [5.0, -0.785]], np.float32)
    assert STEERING.exceeded_by(inside) is None
    outside = inside + np.array([0.0, 0.1], np.float32)
    assert STEERING.exceeded_by(outside) == (
        "actions reach 0.885 in dimension 1, but its environment accepts [-0.785, 0.785]"
    )


def test_policy_acts_in_the_range_of_the_environment():
    policy = RescaledPolicy(lambda observations: np.ones((len(observations), 2), np.float32), STEERING)
    assert policy(np.zeros((1, 3))).tolist() == [pytest.approx([5.0, 0.785])]


def test_range_is_shown_by_dimension():
    assert str(STEERING) == "[0, 5] x [-0.785, 0.785]"
