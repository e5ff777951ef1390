"""Collects data from an agent that the user has trained with stable-baselines3."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from harness.datasets.collect.recipe import Progress, Recipe, versions
from harness.datasets.collect.roll_outs import action_box, roll_out, sampled
from harness.datasets.collect.sb3_agent import is_stochastic, load_agent
from harness.environments.factory import make
from harness.errors import HarnessError
from harness.threads import one_thread

KIND = "agent"


def collect_agent(agent: Path, recipe: Recipe, directory: Path, progress: Progress = lambda *_: None) -> Path:
    """Roll out an agent and write one file; return its path.

    Actions are sampled, as in D4RL's data, unless the agent's policy is deterministic (TD3, DDPG).

    Args:
        agent: the file that `model.save(...)` of stable-baselines3 wrote.

    Raises:
        HarnessError: if the file is not such an agent, or one of another task, if an option is for training
            or names kinds of data, or if the dataset already exists.
    """
    recipe.require_no_training("--policy collects from an agent")
    if recipe.kinds:
        raise HarnessError("--kinds: --policy collects one dataset from one agent; leave the option out")
    recipe.require_free(directory, [KIND])
    with one_thread():
        with closing(make(recipe.environment)) as environment:
            action_box(environment, recipe.environment)
            model = load_agent(agent, environment)
        model.set_random_seed(recipe.seed_of(KIND))
        steps = roll_out(
            recipe.environment,
            sampled(model),
            recipe.transitions,
            recipe.seed_of("episodes"),
            partial(progress, "collecting"),
        )
    actions = "actions sampled" if is_stochastic(model.policy) else "its actions are deterministic"
    policy = f"{type(model).__name__} of {agent.name} after {model.num_timesteps} steps, {actions}"
    return recipe.write(directory, KIND, steps, policy, versions("gymnasium", "stable-baselines3"))
