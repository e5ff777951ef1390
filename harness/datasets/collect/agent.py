"""Collects data from an agent that the user has trained with stable-baselines3."""

from __future__ import annotations

from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from harness import __version__
from harness.datasets.collect.recipe import Progress, Recipe
from harness.datasets.collect.roll_outs import BehaviourPolicy, action_box, roll_out
from harness.datasets.collect.sac import one_thread
from harness.datasets.collect.sb3_agent import load_agent
from harness.datasets.layout import check_free, write
from harness.environments.factory import make
from harness.errors import HarnessError
from harness.writing import require_writable

KIND = "agent"


def collect_agent(agent: Path, recipe: Recipe, directory: Path, progress: Progress = lambda *_: None) -> Path:
    """Roll out an agent, its actions sampled as in D4RL's data, and write one file; return its path.

    Args:
        agent: the file that `model.save(...)` of stable-baselines3 wrote.

    Raises:
        HarnessError: when the file is not such an agent, or one of another task, when an option trains or
            names kinds of data, or when the dataset exists already.
    """
    recipe.check()
    recipe.require_no_training("--policy collects from an agent")
    if recipe.kinds:
        raise HarnessError("--kinds: --policy collects one dataset from one agent; leave the option out")
    path = recipe.path(directory, KIND)
    check_free(path, "--output, --name or --version")
    with one_thread():
        with closing(make(recipe.environment)) as environment:
            action_box(environment, recipe.environment)
            model = load_agent(agent, environment)
        require_writable(directory)
        model.set_random_seed(recipe.seed_of(KIND))
        steps = roll_out(
            recipe.environment,
            _sampled(model),
            recipe.transitions,
            recipe.seed_of("episodes"),
            lambda done, total: progress("collecting", done, total),
        )
    returns, algorithm = steps.episode_returns(), type(model).__name__
    attributes: dict[str, str | int | float] = {
        "environment": recipe.environment,
        "dataset": f"{recipe.name}-{KIND}-{recipe.version}",
        "policy": f"{algorithm} of {agent.name} after {model.num_timesteps} steps, actions sampled",
        "episodes": len(returns),
        "mean_return": float(returns.mean()),
        "std_return": float(returns.std()),
        "seed": recipe.seed,
        "gymnasium_version": version("gymnasium"),
        "stable_baselines3_version": version("stable-baselines3"),
        "harness_version": __version__,
    }
    write(path, steps, attributes)
    return path


def _sampled(model: Any) -> BehaviourPolicy:
    def act(observations: NDArray[Any]) -> NDArray[Any]:
        actions: NDArray[Any] = model.predict(observations, deterministic=False)[0]
        return actions

    return act
