"""Trains two algorithms without Ray, in this process, and plots their learning curves.

Run it in an empty folder; it takes less than a minute and leaves learning_curves.png there:

    python train_and_plot.py
"""

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from harness.training import Trainer
from harness.trial import Trial

GRADIENT_STEPS = 1_500


def train(algorithm: str) -> tuple[list[int], list[float]]:
    """Train one trial; return the gradient steps of its evaluations and their normalized scores."""
    settings = {
        "algorithm": algorithm,
        "dataset": "pendulum-expert-v0",
        "seed": 0,
        "training": {"gradient_steps": GRADIENT_STEPS},
        "evaluation": {"interval": GRADIENT_STEPS // 10, "episodes": 5},
    }
    steps, scores = [], []
    trainer = Trainer(Trial.model_validate(settings))
    for evaluation in trainer:
        steps.append(evaluation.step)
        scores.append(evaluation.normalized_score)
    trainer.close()
    print(f"{algorithm}: {scores[-1]:.1f} after {steps[-1]:,} gradient steps")
    return steps, scores


def main() -> None:
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    for algorithm in ("td3_bc", "bc"):
        axes.plot(*train(algorithm), label=algorithm)
    axes.set(xlabel="Gradient steps", ylabel="Normalized score", title="pendulum-expert-v0")
    axes.legend()
    figure.savefig("learning_curves.png", dpi=150)


if __name__ == "__main__":
    main()
