"""A Ray-distributed benchmark harness for offline reinforcement learning.

docs/architecture.md explains its packages, and CONTRIBUTING.md where to change what.

Examples:
    from harness import load_policy
    policy = load_policy("results/pendulum", variant="td3_bc", dataset="pendulum-expert-v0", seed=0)
    actions = policy(observations)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.storage.policies import load_policy

__version__ = "0.1.0"
__all__ = ["__version__", "load_policy"]


def __getattr__(name: str) -> Any:
    """Import what the package offers on first use, so that `import harness` costs nothing."""
    if name == "load_policy":
        from harness.storage.policies import load_policy

        return load_policy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
