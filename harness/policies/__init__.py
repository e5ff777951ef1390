"""Trained policies, which map observations to actions. Evaluating one with numpy never imports torch.

policy, layers          a policy in numpy (torch_policy: one with layers that numpy does not have)
action_range            the range of actions, and rescaling to it
files                   policy files (names: theirs in the folder of a trial)
card                    model cards
"""

from harness.policies.action_range import ActionRange, RescaledPolicy
from harness.policies.policy import NumpyPolicy, Policy

__all__ = ["ActionRange", "NumpyPolicy", "Policy", "RescaledPolicy"]
