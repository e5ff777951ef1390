"""Environments described as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gymnasium.envs.registration import WrapperSpec
from pydantic import JsonValue

LONGEST_VALUE = 40
"""The most characters of an argument to show."""


@dataclass(frozen=True)
class EnvironmentSpec:
    """Describes an environment as plain data, which can be compared, hashed and sent to other processes.

    Attributes:
        id: a registered gymnasium id, or `MODULE:ID` if importing MODULE registers it.
        kwargs: arguments of the environment that replace the registered ones.
        max_episode_steps: a step limit that replaces the registered one.
        wrappers: gymnasium's specs of additional wrappers, from the innermost to the outermost.
        observation_keys: the entries of a dictionary observation to concatenate, in this order.
    """

    id: str
    kwargs: Mapping[str, JsonValue] = field(default_factory=dict, hash=False)
    max_episode_steps: int | None = None
    wrappers: tuple[WrapperSpec, ...] = field(default=(), hash=False)
    observation_keys: tuple[str, ...] = ()

    @property
    def is_registered_task(self) -> bool:
        """Return whether the spec equals the registered task, apart from selected observation keys."""
        return not (self.kwargs or self.max_episode_steps or self.wrappers)

    def selecting(self, keys: tuple[str, ...]) -> EnvironmentSpec:
        """Return the spec with these entries of dictionary observations selected; without keys, itself."""
        return replace(self, observation_keys=keys) if keys else self

    def changes(self) -> dict[str, JsonValue]:
        """Return the changes from the registered task, as plain data for `EnvironmentSpec.of`."""
        changes = {name: value for name, value in asdict(self).items() if name != "id" and value}
        plain: dict[str, JsonValue] = json.loads(json.dumps(changes))  # lists instead of tuples
        return plain

    @classmethod
    def of(cls, id: str, changes: Mapping[str, Any]) -> EnvironmentSpec:
        """Return the spec of an id with the given changes, the inverse of `changes`."""
        return cls(
            id,
            changes.get("kwargs", {}),
            changes.get("max_episode_steps"),
            tuple(WrapperSpec(**wrapper) for wrapper in changes.get("wrappers", ())),
            tuple(changes.get("observation_keys", ())),
        )

    def __str__(self) -> str:
        """Return the id, followed by the changes from the registered task."""
        changes = [f"{name}={_shortened(value)}" for name, value in self.kwargs.items()]
        if self.max_episode_steps is not None:
            changes.append(f"max_episode_steps={self.max_episode_steps}")
        changes += [wrapper.name for wrapper in self.wrappers]
        if self.observation_keys:
            changes.append(f"observation={'+'.join(self.observation_keys)}")
        return f"{self.id} ({', '.join(changes)})" if changes else self.id


def as_spec(environment: EnvironmentSpec | str) -> EnvironmentSpec:
    """Return the spec of an environment that may be given by its id."""
    return EnvironmentSpec(environment) if isinstance(environment, str) else environment


def _shortened(value: JsonValue) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."
