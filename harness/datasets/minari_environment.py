"""Reads the environment that a Minari dataset describes; its code comes from installed packages only."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec, WrapperSpec
from pydantic import JsonValue, PositiveInt, TypeAdapter, ValidationError

from harness.environments.factory import registered
from harness.environments.packages import registers_environments, require_trusted_wrapper
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError, warn

WITHOUT_EFFECT = (
    "HumanRendering",
    "OrderEnforcing",
    "PassiveEnvChecker",
    "RecordEpisodeStatistics",
    "RecordVideo",
    "RenderCollection",
)
"""Wrappers that render, record or check an environment without changing its behaviour."""
REGISTERING_MODULES = {"gymnasium_robotics": "gymnasium_robotics", "harness": "harness.environments"}
"""Modules of well-known packages that register their environments; use of others is reported."""
FIX = "name the task with `environment:`"


@dataclass(frozen=True)
class _Description:
    """An environment spec as gymnasium writes it."""

    id: str
    entry_point: str
    kwargs: dict[str, JsonValue] = field(default_factory=dict)
    max_episode_steps: PositiveInt | None = None
    additional_wrappers: tuple[WrapperSpec, ...] = ()

    @property
    def package(self) -> str:
        return _package(self.entry_point)


def evaluation_environment(name: str, dataset: Any) -> EnvironmentSpec | None:
    """Return the environment to evaluate on: the one of Minari's `recover_environment(eval_env=True)`.

    The dataset names an environment and its arguments, but never code: the environment must be one that
    gymnasium or an installed package registers, and wrappers must come from gymnasium or from that package.

    Args:
        name: the name of the dataset in messages.
        dataset: a `minari.MinariDataset`; None is returned if it describes no environment.
    """
    metadata = dataset.storage.metadata
    written = metadata.get("eval_env_spec") or metadata.get("env_spec")
    if written is None:
        return None
    try:
        described = TypeAdapter(_Description).validate_json(written)
    except ValidationError:
        raise HarnessError(f"{name}: its environment spec cannot be read; {FIX}") from None
    environment = _registered_id(name, described)
    known, limit = registered(environment), described.max_episode_steps
    return EnvironmentSpec(
        id=environment,
        kwargs=_changed_arguments(described, known),
        max_episode_steps=None if limit == known.max_episode_steps else limit,
        wrappers=tuple(
            _checked(name, wrapper, environment)
            for wrapper in described.additional_wrappers
            if wrapper.entry_point.rpartition(":")[2] not in WITHOUT_EFFECT
        ),
    )


def _registered_id(name: str, described: _Description) -> str:
    """Return `ID`, or `MODULE:ID` with the module of the entry point, whose import must register it."""
    if described.package == "gymnasium":
        registered(described.id)
        return described.id
    if not registers_environments(described.package):
        raise HarnessError(
            f"{name}: its environment {described.id} needs the package {described.package}, which is not "
            f"installed or registers no environments; install it, or {FIX}"
        )
    module = REGISTERING_MODULES.get(described.package, described.entry_point.partition(":")[0])
    environment = f"{module}:{described.id}"
    if "._" in module or not _import_registers(environment, described):
        raise HarnessError(
            f"{name}: the installed package {described.package} does not register its environment "
            f"{described.id}; install the version that does, or {FIX}"
        )
    if described.package not in REGISTERING_MODULES:
        warn(
            f"{name}: evaluated on {described.id} of the package {described.package}, which its environment "
            "spec names"
        )
    return environment


def _import_registers(environment: str, described: _Description) -> bool:
    """Return whether importing the module registers the id with an entry point of the described package."""
    try:
        registered(environment)
    except HarnessError:
        return False
    entry_point: Any = gymnasium.registry[described.id].entry_point
    module = entry_point if isinstance(entry_point, str) else entry_point.__module__
    return _package(module) == described.package


def _changed_arguments(described: _Description, known: EnvSpec) -> dict[str, JsonValue]:
    """Return the arguments that differ from the registered ones, without those for rendering."""
    usual = json.loads(json.dumps(known.kwargs, default=str))
    return {
        key: value
        for key, value in described.kwargs.items()
        if key != "render_mode" and not (key in usual and usual[key] == value)
    }


def _checked(name: str, wrapper: WrapperSpec, environment: str) -> WrapperSpec:
    require_trusted_wrapper(wrapper.entry_point, environment, name)
    module, _, attribute = wrapper.entry_point.partition(":")
    try:
        kind = getattr(import_module(module), attribute, None)
    except Exception:  # the module's code can raise anything
        kind = None
    if wrapper.kwargs is None or not (isinstance(kind, type) and issubclass(kind, gymnasium.Wrapper)):
        raise HarnessError(
            f"{name}: the wrapper {wrapper.entry_point} of its environment spec cannot be applied again; "
            f"{FIX}"
        )
    return wrapper


def _package(entry_point: str) -> str:
    return entry_point.partition(":")[0].partition(".")[0]
