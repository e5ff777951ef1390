"""Policy files: a trained policy as arrays and JSON in one .npz file, which loads without executing code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from harness.errors import HarnessError, one_line
from harness.policies import layers
from harness.policies.action_range import ActionRange, RescaledPolicy
from harness.policies.layers import Layer
from harness.policies.names import Chosen
from harness.policies.policy import NumpyPolicy, Policy
from harness.validation import first_problem

CONTENT, TORCHSCRIPT = "content", "torchscript"
LAYERS: Mapping[str, type[Any]] = {
    "affine": layers.Affine,
    "layer_norm": layers.LayerNorm,
    "relu": layers.ReLU,
    "tanh": layers.Tanh,
    "scale": layers.Scale,
    "clip": layers.Clip,
    "columns": layers.Columns,
}
KINDS = {layer: kind for kind, layer in LAYERS.items()}


class PolicyInfo(BaseModel):
    """The origin of a policy, and its environment."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, ser_json_inf_nan="constants")

    variant: str
    """The name of the variant: an algorithm with its hyper-parameters."""
    algorithm: str
    """A built-in name or `module:Class`."""
    dataset: str
    dataset_digest: str
    """SHA-256 of the transitions that it was trained on."""
    seed: int
    step: int
    """Gradient steps that it was trained for."""
    chosen: Chosen
    """`best`: chosen by the normalized score of the trial's evaluations, which use the environment."""
    environment: str
    """The gymnasium id of the environment."""
    environment_changes: dict[str, JsonValue] = {}
    """What differs from the registered environment."""
    evaluation_seed: int
    """Determines the start state of each episode, together with the seed of the trial."""
    episode_returns: tuple[float, ...] = ()
    """The returns of the evaluation at its step."""
    reference: tuple[float, float] | None = None
    """The returns with normalized scores 0 and 100, if there are any."""
    experiment: str = ""
    harness_version: str = ""

    @property
    def return_mean(self) -> float | None:
        """The mean return of the recorded episodes, if there are any."""
        return float(np.mean(self.episode_returns)) if self.episode_returns else None

    @property
    def normalized_score(self) -> float | None:
        """The normalized score of the recorded episodes, if there are reference returns."""
        mean = self.return_mean
        return None if mean is None or self.reference is None else self.normalize(mean)

    def normalize(self, episode_return: float) -> float:
        """Return the normalized score of a return in the policy's own environment."""
        assert self.reference is not None
        low, high = self.reference
        return 100.0 * (episode_return - low) / (high - low)


class _Layer(BaseModel):
    kind: str
    numbers: dict[str, int | float] = {}
    arrays: dict[str, str] = {}
    """The names of its arrays, by attribute."""


class _Content(BaseModel):
    """The JSON part of a policy file, which describes its arrays."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    format: Literal[1] = 1
    info: PolicyInfo
    observation_size: int
    action_size: int
    action_range: ActionRange | None = None
    layers: tuple[_Layer, ...] | None = None
    """None if the network is TorchScript."""


@dataclass(frozen=True)
class SavedPolicy:
    """A policy loaded from a file, with its origin.

    Calling it maps observations [E, S] to actions [E, A], or one observation [S] to one action [A].
    """

    policy: Policy = field(repr=False)
    info: PolicyInfo
    observation_size: int
    action_size: int
    source: str = ""
    """The file that it was loaded from."""

    def __call__(self, observations: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the deterministic actions for observations, as the environment gives them.

        Raises:
            ValueError: if observations have another size.
        """
        values = np.asarray(observations)
        if values.ndim not in (1, 2) or values.shape[-1] != self.observation_size:
            size = self.observation_size
            raise ValueError(f"expected observations [{size}] or [E, {size}], got {list(values.shape)}")
        return self.policy(values[np.newaxis])[0] if values.ndim == 1 else self.policy(values)

    def predict(
        self,
        observation: NDArray[np.floating],
        state: object = None,
        episode_start: object = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], object]:
        """Return (actions, state), as policies of Stable-Baselines3 do; actions are always deterministic."""
        return self(observation), state


def dumps(policy: Policy, info: PolicyInfo, observation_size: int, action_size: int) -> bytes:
    """Return the bytes of a policy file.

    Policies of known layers become arrays; other networks become TorchScript, which requires torch to load.
    """
    inner, action_range = policy, None
    if isinstance(policy, RescaledPolicy):
        inner, action_range = policy.policy, policy.action_range
    arrays: dict[str, NDArray[Any]] = {}
    described: tuple[_Layer, ...] | None = None
    if isinstance(inner, NumpyPolicy):
        described = tuple(_describe(layer, index, arrays) for index, layer in enumerate(inner.layers))
    else:
        from harness.policies.torch_policy import TorchPolicy, to_torchscript

        assert isinstance(inner, TorchPolicy)
        arrays[TORCHSCRIPT] = np.frombuffer(to_torchscript(inner), np.uint8)
    arrays |= {"state_mean": inner.state_mean, "state_scale": inner.state_scale}
    content = _Content(
        info=info,
        observation_size=observation_size,
        action_size=action_size,
        action_range=action_range,
        layers=described,
    )
    arrays[CONTENT] = np.frombuffer(content.model_dump_json().encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stubs take the names for its own option
    return buffer.getvalue()


def loads(data: bytes, source: str) -> SavedPolicy:
    """Read the bytes of a policy file; nothing in it is executed except TorchScript, by torch.

    Raise a HarnessError that names `source` if it is not a policy file or is damaged.
    """
    try:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            raise ValueError("it is not an npz file")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if CONTENT not in arrays:
            raise ValueError(f"it has no array {CONTENT!r}")
        content = _Content.model_validate_json(bytes(arrays[CONTENT]))
        policy = _policy(content, arrays)
        saved = SavedPolicy(policy, content.info, content.observation_size, content.action_size, source)
        actions = saved(np.zeros((1, content.observation_size), np.float32))
        if actions.shape != (1, content.action_size):
            raise ValueError(f"its actions have shape {actions.shape}")
    except Exception as error:  # numpy, pydantic and torch raise various exceptions for damaged files
        reason = first_problem(error) if isinstance(error, ValidationError) else one_line(error)[:200]
        raise HarnessError(f"{source}: not a policy file, or damaged ({reason})") from None
    return saved


def _policy(content: _Content, arrays: Mapping[str, NDArray[Any]]) -> Policy:
    mean, scale = arrays["state_mean"], arrays["state_scale"]
    policy: Policy
    if content.layers is not None:
        policy = NumpyPolicy([_layer(each, arrays) for each in content.layers], mean, scale)
    else:
        from harness.policies.torch_policy import from_torchscript

        policy = from_torchscript(arrays[TORCHSCRIPT].tobytes(), mean, scale)
    if content.action_range is None:
        return policy
    return RescaledPolicy(policy, content.action_range)


def _describe(layer: Layer, index: int, arrays: dict[str, NDArray[Any]]) -> _Layer:
    """Describe a layer, and add its arrays to `arrays`."""
    described = _Layer(kind=KINDS[type(layer)])
    for attribute in fields(layer):  # type: ignore[arg-type]  # every layer is a dataclass
        value = getattr(layer, attribute.name)
        if isinstance(value, np.ndarray):
            name = f"{index}.{attribute.name}"
            arrays[name] = value
            described.arrays[attribute.name] = name
        else:
            described.numbers[attribute.name] = value
    return described


def _layer(described: _Layer, arrays: Mapping[str, NDArray[Any]]) -> Layer:
    own = {attribute: arrays[name] for attribute, name in described.arrays.items()}
    number = int if described.kind == "columns" else float
    numbers = {name: number(value) for name, value in described.numbers.items()}
    layer: Layer = LAYERS[described.kind](**own, **numbers)
    return layer
