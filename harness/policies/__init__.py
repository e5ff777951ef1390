"""Trained policies, which map observations to actions. Evaluating one with numpy never imports torch."""

from harness.policies.action_range import ActionRange, RescaledPolicy
from harness.policies.policy import NumpyPolicy, Policy

__all__ = ["ActionRange", "NumpyPolicy", "Policy", "RescaledPolicy"]
