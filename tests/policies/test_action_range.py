"""Tests of the rescaling of actions."""

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


def test_symmetric_range_does_not_change_actions():
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
def test_asymmetric_range_has_max_action_one(action_range):
    assert not action_range.is_symmetric
    assert action_range.max_action == 1.0


def test_to_learner_maps_bounds_and_middle_to_the_unit_interval():
    actions = np.array([[0, -0.785], [2.5, 0], [5, 0.785]], np.float32)
    unit = np.array([[-1, -1], [0, 0], [1, 1]], np.float32)
    np.testing.assert_allclose(STEERING.to_learner(actions), unit, atol=1e-7)
    np.testing.assert_allclose(STEERING.to_environment(unit), actions, atol=1e-7)


@given(bounds, bounds, arrays.arrays(np.float32, (4, 3), elements=st.floats(-1, 1, width=32)))
def test_to_environment_returns_actions_within_bounds(one, other, unit):
    space = Box(np.minimum(one, other), np.maximum(one, other), dtype=np.float32)
    found = ActionRange.of(space)
    actions = found.to_environment(unit) if not found.is_symmetric else unit * np.float32(found.max_action)
    assert all(space.contains(action) for action in actions)


@given(arrays.arrays(np.float32, (4, 2), elements=st.floats(0, 1, width=32)))
def test_to_learner_and_back_keeps_actions(share):
    low, high = (np.array(values, np.float32) for values in (STEERING.low, STEERING.high))
    actions = low + share * (high - low)
    np.testing.assert_allclose(STEERING.to_environment(STEERING.to_learner(actions)), actions, atol=1e-6)


def test_range_of_float64_bounds_rounds_inwards():
    space = Box(np.array([-0.1]), np.array([0.3]), dtype=np.float64)
    found = ActionRange.of(space)
    assert space.contains(np.array(found.low))
    assert space.contains(np.array(found.high))


def test_range_with_a_dimension_of_zero_width_is_constant():
    fixed = ActionRange((0.5, -1.0), (0.5, 1.0))
    assert fixed.to_learner(np.array([[0.5, 1.0]], np.float32)).tolist() == [[0.0, 1.0]]
    assert fixed.to_environment(np.array([[0.9, 1.0]], np.float32)).tolist() == [[0.5, 1.0]]


def test_exceeded_by_describes_actions_outside_the_range():
    inside = np.array([[0.0, 0.785], [5.0, -0.785]], np.float32)
    assert STEERING.exceeded_by(inside) is None
    outside = inside + np.array([0.0, 0.1], np.float32)
    assert STEERING.exceeded_by(outside) == (
        "actions reach 0.885 in dimension 1, but its environment accepts [-0.785, 0.785]"
    )


def test_rescaled_policy_returns_actions_in_the_range():
    policy = RescaledPolicy(lambda observations: np.ones((len(observations), 2), np.float32), STEERING)
    assert policy(np.zeros((1, 3))).tolist() == [pytest.approx([5.0, 0.785])]


def test_str_of_a_range_lists_its_dimensions():
    assert str(STEERING) == "[0, 5] x [-0.785, 0.785]"
