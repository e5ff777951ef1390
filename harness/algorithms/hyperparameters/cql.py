"""Hyper-parameters of CQL (arXiv 2006.04779); the defaults are CORL's for D4RL's locomotion tasks."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.base import HiddenSizes, Hyperparameters, NetworkCounts
from harness.validation import Number, Whole


class CQLHyperparameters(Hyperparameters):
    """CQL (arXiv 2006.04779), the variant CQL(H).

    Sources: `d4rl/examples/cql_*_new.py` of the authors' code (aviralkumar2907/CQL) and
    `configs/offline/cql` of CORL. `docs/algorithms/cql.md` has the settings for each group of datasets.
    """

    algorithm: str = "cql"
    hidden_sizes: HiddenSizes = (256, 256, 256)
    """Units of the hidden layers of the policy, and of the critics: 3 x 256 (authors' code, CORL)."""
    critic_hidden_sizes: HiddenSizes | None = None
    """Units of the hidden layers of the critics where they differ: 5 x 256 on AntMaze (CORL)."""
    conservative_weight: Number = Field(10.0, ge=0)
    """Alpha of the paper, the weight of the conservative term: 10 (CORL); 5 or 10 (authors' code)."""
    target_action_gap: Number | None = None
    """Tau of the paper. With it, a Lagrange multiplier scales the conservative term and rises while the
    term exceeds the gap. None: no multiplier (CORL); 5 (authors' code); 0.8 on AntMaze (CORL)."""
    smallest_difference: Number | None = None
    """Lower bound of logsumexp Q - Q(s, a): None; -200 on AntMaze (CORL)."""
    sampled_actions: Whole = Field(10, ge=1, le=1000)
    """Actions drawn from each of pi(s), pi(s') and the uniform distribution: 10 (paper, appendix F)."""
    max_target_backup: bool = False
    """Whether the critics' target is the largest of `sampled_actions` values: on AntMaze (CORL)."""
    backup_entropy: bool = False
    """Whether the critics' target contains the entropy of the policy: no (authors' code, CORL)."""
    behaviour_cloning_steps: Whole = Field(0, ge=0)
    """Gradient steps at the start in which the policy clones the data: 40,000 (authors' code); 0 (CORL)."""
    actor_learning_rate: Number = Field(3e-5, gt=0)
    """Adam's learning rate for the policy and its temperature: 3e-5 (paper, CORL); 1e-4 (authors' code)."""
    critic_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the critics and the multiplier: 3e-4 (paper, authors' code, CORL)."""
    discount: Number = Field(0.99, ge=0, le=1)
    """Discount factor of future rewards: 0.99 (authors' code, CORL)."""
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target critics: 0.005 (authors' code, CORL)."""

    NETWORKS = NetworkCounts(per_step=68, per_checkpoint=11)
