"""Writes model cards in Markdown: the origin of a policy, its scores and its use."""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.policies.files import SavedPolicy

Format = Literal["npz", "torchscript", "onnx"]
CHOSEN = {
    "final": "the policy at the end of training",
    "best": "the best by the normalized score of its own evaluations, a choice that used the environment",
    "step": "the policy at this step of training",
}
LOADING: dict[Format, str] = {
    "npz": """from harness import load_policy

policy = load_policy("{file}")
actions = policy(observations)  # [E, {states}] or [{states}], as the environment gives them""",
    "torchscript": """import torch

policy = torch.jit.load("{file}")
actions = policy(torch.as_tensor(observations, dtype=torch.float32))  # [E, {states}] to [E, {actions}]""",
    "onnx": """import onnxruntime

session = onnxruntime.InferenceSession("{file}")
(actions,) = session.run(None, {{"observations": observations.astype("float32")}})  # [E, {states}]""",
}


def model_card(policy: SavedPolicy, file: str, file_format: Format) -> str:
    """Return the model card of a policy that was exported to a file."""
    info = policy.info
    facts = {
        "Algorithm": info.algorithm
        + (f" (variant {info.variant})" if info.variant != info.algorithm else ""),
        "Dataset": f"{info.dataset} (SHA-256 of its transitions {info.dataset_digest})",
        "Seed": str(info.seed),
        "Gradient steps": f"{info.step:,}: {CHOSEN[info.chosen]}",
        "Observations": f"vectors of size {policy.observation_size} as the environment gives them; the "
        "policy normalises them",
        "Actions": f"vectors of size {policy.action_size} in the range of the environment, without noise",
        "Experiment": info.experiment,
        "Trained with": f"offline-rl-harness {info.harness_version}",
    }
    code = LOADING[file_format].format(file=file, states=policy.observation_size, actions=policy.action_size)
    return "\n".join(
        [
            f"# {info.variant} on {info.dataset}, seed {info.seed}",
            "",
            *(f"- {name}: {fact}" for name, fact in facts.items() if fact),
            "",
            "## Scores",
            "",
            _scores(policy),
            "",
            "## Protocol",
            "",
            _protocol(policy),
            "",
            "## Use",
            "",
            "```python",
            code,
            "```",
            "",
            "The policy was trained on recorded data and evaluated in simulation, from the start states of "
            f"{info.environment} alone.",
            "",
        ]
    )


def _scores(policy: SavedPolicy) -> str:
    info = policy.info
    if not info.episode_returns:
        return "No evaluation of this policy is recorded."
    mean, spread = np.mean(info.episode_returns), np.std(info.episode_returns)
    lines = ["| | |", "|---|---:|", f"| Return | {mean:,.2f} ± {spread:,.2f} |"]
    if info.normalized_score is not None:
        lines.append(f"| Normalized score | {info.normalized_score:.1f} |")
    return "\n".join([*lines, f"| Episodes | {len(info.episode_returns)} |"])


def _protocol(policy: SavedPolicy) -> str:
    info = policy.info
    changes = ", ".join(f"{name}={value}" for name, value in info.environment_changes.items())
    sentences = [
        f"Evaluated on {info.environment}{f' ({changes})' if changes else ''} at step {info.step:,}, with "
        f"evaluation seed {info.evaluation_seed}.",
        "Return is the undiscounted sum of rewards of an episode: mean ± standard deviation (ddof 0) over "
        "episodes.",
    ]
    if info.reference is not None:
        low, high = info.reference
        sentences.append(f"Normalized score: 100 (return - {low:g}) / ({high:g} - {low:g}).")
    return " ".join(sentences)
