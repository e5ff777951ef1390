"""Trains a small policy, saves it as one file and uses the file: for actions, and for 100 more episodes.

Run it in an empty folder; it takes less than a minute and leaves policy.npz there:

    python evaluate_policy.py
"""

import gymnasium

from harness import load_policy
from harness.training import Trainer, evaluate_policy
from harness.trial import Trial


def train(path: str) -> None:
    """Train behavioural cloning for 1,000 gradient steps and save its policy."""
    settings = {
        "algorithm": "bc",
        "dataset": "pendulum-expert-v0",
        "seed": 0,
        "training": {"gradient_steps": 1_000},
        "evaluation": {"interval": 500, "episodes": 10},
    }
    trainer = Trainer(Trial.model_validate(settings))
    for evaluation in trainer:
        print(f"step {evaluation.step}: return {evaluation.return_mean:.1f}")
    trainer.save_policy(path)
    trainer.close()


def main() -> None:
    train("policy.npz")

    policy = load_policy("policy.npz")  # numpy alone; torch is not needed
    environment = gymnasium.make(policy.info.environment)
    observation, _ = environment.reset(seed=1)
    print("one action:", policy(observation), "or as in Stable-Baselines3:", policy.predict(observation)[0])

    evaluation = evaluate_policy(policy, episodes=100)
    print(
        f"return over {len(evaluation.returns)} episodes: {evaluation.return_mean:.1f} "
        f"± {evaluation.standard_error:.1f} (standard error), score {evaluation.normalized_score:.1f}"
    )
    print("the first 10 episodes repeat those of training exactly:", evaluation.reproduced)


if __name__ == "__main__":
    main()
