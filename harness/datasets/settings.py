"""The settings of datasets, and of the processing of their transitions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.validation import Number, Settings


class DatasetSettings(Settings):
    """The source of transitions. A plain string in the file is short for `{name: STRING}`."""

    name: str = Field(min_length=1)
    """A registered id (`hopper-medium-v2`), a Minari id (`minari:mujoco/hopper/medium-v0`), the name of a
    dataset that an installed package provides, or, with `path`, the name to show."""
    path: str | None = None
    """A file in the D4RL layout, read instead of a registered dataset."""
    mixture: dict[str, Annotated[Number, Field(gt=0, le=1)]] | None = None
    """Registered datasets of one environment and their shares of the transitions, instead of one dataset;
    as many transitions as the smallest of them has."""
    environment: str | None = None
    """The gymnasium id to evaluate on; by default the dataset's own."""
    published_as: str | None = None
    """The registered dataset (`door-human-v1`) whose published scores are shown next to the results on this
    one; by default the one of the same name. No result depends on it."""
    label: str | None = Field(None, min_length=1)
    """The name of the dataset in tables and figures. No result depends on it."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, raw: Any) -> Any:
        if not isinstance(raw, str | dict | DatasetSettings):
            raise ValueError(f"must be a name or a mapping with one, not {raw!r}")
        return {"name": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _one_source(self) -> DatasetSettings:
        if self.mixture is not None:
            if self.path is not None:
                raise ValueError(f"dataset {self.name} has both path and mixture; keep one")
            if abs(sum(self.mixture.values()) - 1) > 1e-6:
                raise ValueError(
                    f"the shares of mixture {self.name} add up to {sum(self.mixture.values()):g}, not 1"
                )
        return self


class RewardScaling(Settings):
    """Rewards become scale * r + shift."""

    scale: Number = 1.0
    """The factor of rewards: 100 (ReBRAC in AntMaze), 10 (CQL in AntMaze)."""
    shift: Number = 0.0
    """The number that is added after scaling: -1 (IQL in AntMaze), -5 (CQL in AntMaze)."""


class DataSettings(Settings):
    """How the transitions of every dataset are processed before training."""

    rewards: Literal["as_is", "return_range"] | RewardScaling = "as_is"
    """`return_range`: 1000 r / (largest - smallest episode return); `{scale: 10, shift: -5}`: 10 r - 5."""
    timeout_steps: Literal["drop", "keep"] = "drop"
    """Whether the last step of an episode truncated by its time limit is used. `drop` is D4RL's rule; `keep`
    needs recorded next observations. If rows are not in chronological order, every transition is used."""
    time_limits: Literal["bootstrap", "terminal"] = "bootstrap"
    """`terminal`: a time limit stops the bootstrap as a terminal does, so that its step is always used."""
    best_episodes: Annotated[Number, Field(gt=0, le=1)] | None = None
    """Keep only this share of the episodes, those with the largest undiscounted returns (0.1 with bc is
    10%BC). An episode that is unfinished at the end of the data is left out."""
    observation_keys: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Entries of dictionary observations, of environments and Minari datasets, that are concatenated in this
    order. By default those of Minari datasets are `achieved_goal`, where `observation` lacks it,
    `observation`, and `desired_goal`."""
    clip_actions: bool = False
    """Clip recorded actions to the task's range. Human and cloned datasets of D4RL and Minari always are."""
