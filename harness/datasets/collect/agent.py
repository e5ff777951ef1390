"""Collects data from agents of stable-baselines3 and sb3-contrib, without running any code in their files.

An agent's file is a zip archive of weights and of `data`, JSON in which some values are pickled. The
libraries unpickle these, which runs any code that they name. Here each is replaced: spaces by those of the
environment, classes by the named ones if they are from the libraries or torch.nn; values that only training
needs are omitted.
"""

from __future__ import annotations

import base64
import io
import json
import pickle
import zipfile
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.datasets.collect.recipe import Facts, Recipe, versions
from harness.datasets.collect.roll_outs import Step, action_box, roll_out, sampled
from harness.datasets.formats import unpickling
from harness.datasets.progress import Advance
from harness.environments.factory import Environment
from harness.errors import HarnessError, one_line, typed_line

PACKAGES = {"stable_baselines3": "stable-baselines3", "sb3_contrib": "sb3-contrib"}
"""Modules of agents, and the distributions that contain them."""
TRUSTED = (*PACKAGES, "torch.nn", "torch.optim")
"""The packages whose classes an agent may refer to."""
PICKLED = ":serialized:"
INSTEAD = "collect its steps yourself, and import them with harness data import"
UNUSED = {"learning_rate": 0.0, "clip_range": 0.2, "train_freq": 1, "buffer_size": 1}
"""Values of training settings for an agent that only acts."""


class AgentCollector:
    """Rolls out an agent; its actions are sampled, as in D4RL's data, unless its policy is deterministic.

    Raises:
        HarnessError: if the file is not such an agent, or one of another task, or for options of training.
    """

    kinds: tuple[str, ...] = ("agent",)

    def __init__(self, recipe: Recipe, environment: Environment, progress: Advance, agent: Path) -> None:
        recipe.require_no_training("--policy collects from an agent")
        action_box(environment, recipe.environment)
        self.recipe, self.progress, self.agent = recipe, progress, agent
        self.model = load_agent(agent, environment)

    def prepare(self, kinds: tuple[str, ...]) -> Facts:
        """Return the versions of the packages that are used."""
        return versions("gymnasium", "stable-baselines3")

    def collect(self, kind: str) -> tuple[list[Step], str]:
        """Return the steps of the agent, and its description."""
        recipe, progress = self.recipe, partial(self.progress, "collecting")
        self.model.set_random_seed(recipe.seed_of(kind))
        seed = recipe.seed_of("episodes")
        steps = roll_out(recipe.environment, sampled(self.model), recipe.transitions, seed, progress)
        policies = self.model.policy, getattr(self.model.policy, "actor", None)
        is_stochastic = any(hasattr(policy, "action_dist") for policy in policies)
        actions = "actions sampled" if is_stochastic else "its actions are deterministic"
        name, taken = type(self.model).__name__, self.model.num_timesteps
        return steps, f"{name} of {self.agent.name} after {taken} steps, {actions}"


def load_agent(agent: Path, environment: Environment) -> Any:
    """Load the agent for an environment, whose spaces must have the same shapes as the agent's."""
    try:
        data = _data(agent)
        _check_spaces(data, environment)
        policy = _class(_unpickled(data["policy_class"]))
        algorithm = _algorithm(policy, data)
        objects: dict[str, Any] = {
            key: None for key, item in data.items() if isinstance(item, dict) and PICKLED in item
        }
        objects |= {key: value for key, value in UNUSED.items() if key in data}
        objects |= {
            "policy_class": policy,
            "policy_kwargs": _resolved(_unpickled(data.get("policy_kwargs", {}))),
            "observation_space": environment.observation_space,
            "action_space": environment.action_space,
        }
    except HarnessError as error:
        raise HarnessError(f"{agent}: {error}") from None
    try:
        return algorithm.load(agent, device="cpu", custom_objects=objects)
    except Exception as error:  # the library raises various exceptions while reading
        package = PACKAGES[policy.__module__.partition(".")[0]]
        reason = one_line(error)
        raise HarnessError(f"{agent}: {package} {version(package)} cannot load it ({reason})") from None


def _data(agent: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(agent) as archive:
            data = json.loads(archive.read("data"))
        if all(isinstance(data[key], dict) for key in ("policy_class", "observation_space", "action_space")):
            return dict(data)
    except FileNotFoundError:
        raise HarnessError("no such file") from None
    except (KeyError, OSError, TypeError, ValueError, zipfile.BadZipFile):
        pass
    raise HarnessError("not an agent of stable-baselines3; save one with model.save(FILE)")


def _check_spaces(data: dict[str, Any], environment: Environment) -> None:
    for what in ("observation", "action"):
        own = data[f"{what}_space"].get("_shape")
        shape = list(getattr(environment, f"{what}_space").shape or ())
        if str(own) != str(shape):
            spec = environment.spec.id if environment.spec else environment
            raise HarnessError(f"has {what}s of shape {own}, those of {spec} have {shape}")


def _unpickled(item: Any) -> Any:
    """Return a value of the agent's data; classes in it are types derived from `Opaque`."""
    if not (isinstance(item, dict) and PICKLED in item):
        return item
    try:
        return unpickling.load(io.BytesIO(base64.b64decode(item[PICKLED])))
    except pickle.UnpicklingError as error:
        raise HarnessError(f"cannot be loaded safely: {error}; {INSTEAD}") from None
    except Exception as error:  # damaged pickles raise various exceptions
        raise HarnessError(f"is damaged ({typed_line(error)}); save the agent again") from None


def _resolved(value: Any) -> Any:
    """Return arguments of a policy with references resolved to classes."""
    if isinstance(value, dict):
        return {key: _resolved(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_resolved, value))
    return _class(value) if isinstance(value, type) else value


def _class(named: Any) -> type:
    """Return the class that an `Opaque` type refers to."""
    module, _, name = str(getattr(named, "origin", named)).rpartition(".")
    if isinstance(named, type) and any(f"{module}.".startswith(f"{package}.") for package in TRUSTED):
        try:
            found = getattr(import_module(module), name, None)
        except ImportError:
            package = PACKAGES.get(module.partition(".")[0], "torch")
            needed = "'offline-rl-harness[collect]'" if package == "stable-baselines3" else package
            raise HarnessError(f"needs {module}: pip install {needed}") from None
        if isinstance(found, type):
            return found
    raise HarnessError(
        f"names {module}.{name}, which is not a class of stable-baselines3, sb3-contrib or torch.nn; "
        f"{INSTEAD}"
    )


def _algorithm(policy: type, data: dict[str, Any]) -> Any:
    """Return the algorithm class of a policy class: `SAC` for `stable_baselines3.sac.policies`."""
    package, _, module = policy.__module__.partition(".")
    name = module.removesuffix(".policies").upper()
    if name == "COMMON":  # the on-policy algorithms share their policy classes
        name = "PPO" if "clip_range" in data else "A2C"
    elif name == "TD3" and data.get("policy_delay") == 1:  # DDPG is TD3 without its delay, with one critic
        name = "DDPG"
    algorithm = getattr(import_module(package), name, None)
    if algorithm is None:
        raise HarnessError(f"{package} has no algorithm for {policy.__module__}.{policy.__name__}")
    return algorithm
