"""The experiment: what may be written in its file, the defaults, and the trials that it names."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, field_validator, model_validator

from harness.algorithms.hyperparameters import Hyperparameters
from harness.algorithms.registry import ALGORITHMS
from harness.validation import Number, Whole, nearest, validate

SEED_LIMIT = 2**63 - 1  # torch's generators and the tables take no larger one
STEPS_LIMIT = 10**12
SEEDS_LIMIT = 100_000
LONGEST_FILE_NAME = 255

EXPERIMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
COLUMN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=,-]{0,99}")


Seed = Annotated[Whole, Field(ge=0, le=SEED_LIMIT)]


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DatasetSettings(Settings):
    """Where transitions come from. A plain string in the file stands for `{name: STRING}`."""

    name: str = Field(min_length=1)
    """A registered id (`hopper-medium-v2`), a Minari id (`minari:mujoco/hopper/medium-v0`), or,
    with `path`, the name to show."""
    path: str | None = None
    """A file in the D4RL layout, read in place of a registered dataset."""
    mixture: dict[str, Annotated[Number, Field(gt=0, le=1)]] | None = None
    """Registered datasets of one environment and their shares of the transitions, in place of one dataset;
    as many transitions as the smallest of them has."""
    environment: str | None = None
    """The gymnasium id to evaluate on; by default the dataset's own."""

    @field_validator("path")
    @classmethod
    def _path_of_a_file(cls, path: str | None) -> str | None:
        if path is not None and "\0" in path:
            raise ValueError(f"{path!r} is no path; no file's name holds a null character")
        return path

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


class DataSettings(Settings):
    """What is done to the transitions of every dataset before training."""

    rewards: Literal["as_is", "return_range", "minus_one"] = "as_is"
    """`return_range`: times 1000 / (largest - smallest episode return); `minus_one`: r - 1 (AntMaze)."""
    timeout_steps: Literal["drop", "keep"] = "drop"
    """Whether the last step of an episode cut by its time limit counts as a transition."""


class TrainingSettings(Settings):
    gradient_steps: Whole = Field(1_000_000, ge=1, le=STEPS_LIMIT)


class EvaluationSettings(Settings):
    interval: Whole = Field(5_000, ge=1, le=STEPS_LIMIT)
    """Gradient steps between evaluations; the last step is always evaluated."""
    episodes: Whole = Field(10, ge=1, le=10_000)
    seed: Whole = Field(100, ge=0, le=SEED_LIMIT)
    """With the trial's seed it fixes the starts of the episodes, the same at every evaluation."""


class TrialResources(Settings):
    """What one trial occupies while it runs, and how long it may be silent."""

    cpus: Number | None = Field(None, gt=0)
    gpus: Number | None = Field(None, ge=0, le=1)
    memory: Whole | None = Field(None, ge=1)
    """Bytes."""
    interval_seconds: Number | None = Field(None, gt=0)
    """A trial that needs longer than this from one evaluation to the next is taken to hang, and ended."""
    pack: Annotated[Whole, Field(ge=1)] | Literal["auto"] | None = None
    """How many trials one process trains side by side, in the place of one; they may differ in seed and
    dataset. `auto`: one where there is no GPU, on a GPU as many as keep all GPUs busy."""
    evaluators: Annotated[Whole, Field(ge=0)] | Literal["auto"] | None = None
    """Processes, with a CPU each, that run the episodes of a pack while it trains on. `auto`: none where
    there is no GPU, beside a GPU one for each CPU that is its share."""


class ResourceSettings(TrialResources):
    """For every trial; no result depends on it."""

    cpus: Number = Field(1, gt=0)
    gpus: Number = Field(0, ge=0, le=1)
    pack: Annotated[Whole, Field(ge=1)] | Literal["auto"] = "auto"
    evaluators: Annotated[Whole, Field(ge=0)] | Literal["auto"] = "auto"
    checkpoint_seconds: Number = Field(20, ge=0)
    """A checkpoint is written at the first evaluation after this time, and at the end.

    Where writing takes more than a twentieth of it, up to 20 times as long passes between two.
    """
    algorithms: dict[str, TrialResources] = {}
    """By column (or by the name before its `@`): what is different for its trials."""

    def of(self, column: str) -> TrialResources:
        """What a trial of this column occupies."""
        general = {name: getattr(self, name) for name in TrialResources.model_fields}
        special = self.algorithms.get(column, self.algorithms.get(column.partition("@")[0]))
        return TrialResources(**general | (special.model_dump(exclude_none=True) if special else {}))


class Trial(Settings):
    """One (algorithm, dataset, seed) with every value that its result depends on."""

    algorithm: str
    """The column of the table: an algorithm or a variant of one."""
    dataset: DatasetSettings
    seed: Seed
    hyperparameters: SerializeAsAny[Hyperparameters]
    data: DataSettings = DataSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, raw: Any) -> Any:
        """A name stands for its dataset; hyper-parameters are read by the class of their algorithm."""
        if not isinstance(raw, dict):
            return raw
        dataset, algorithm = raw.get("dataset"), raw.get("algorithm")
        return raw | {
            "dataset": {"name": dataset} if isinstance(dataset, str) else dataset,
            "hyperparameters": _hyperparameters(raw.get("hyperparameters"), "hyperparameters", algorithm),
        }

    @property
    def key(self) -> str:
        """The name of the trial's directory."""
        return self.folder(self.algorithm, self.dataset.name, self.seed)

    @staticmethod
    def folder(algorithm: str, dataset: str, seed: int) -> str:
        return f"{algorithm}--{slug(dataset)}--{seed}"

    @property
    def pack_settings(self) -> str:
        """What trials that are trained side by side have in common: all but seed and dataset."""
        return self.model_dump_json(exclude={"seed", "dataset"})

    @property
    def digest(self) -> str:
        """SHA-256 of all that the result depends on."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class Experiment(Settings):
    """Algorithms x datasets x seeds, and how they are trained and evaluated."""

    name: str
    description: str = ""
    datasets: tuple[DatasetSettings, ...] = Field(min_length=1)
    algorithms: dict[str, SerializeAsAny[Hyperparameters]] = Field(min_length=1)
    """Column name to hyper-parameters; the key `algorithm` names the algorithm of a variant."""
    sweep: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = {}
    """`algorithms.NAME.HYPERPARAMETER` to values: NAME is replaced by one variant for each."""
    seeds: tuple[Seed, ...] = Field(min_length=1, max_length=SEEDS_LIMIT)
    """A list, or a number n that stands for 0 ... n-1."""
    data: DataSettings = DataSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    resources: ResourceSettings = ResourceSettings()

    @field_validator("name")
    @classmethod
    def _name_of_a_directory(cls, name: str) -> str:
        if not EXPERIMENT_NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} names no directory; use letters, digits and ._+- only, a letter or digit first, "
                "100 at most"
            )
        return name

    @field_validator("datasets", mode="before")
    @classmethod
    def _names_to_datasets(cls, raw: Any) -> Any:
        if not isinstance(raw, list | tuple):
            return raw
        for item in raw:
            if not isinstance(item, str | dict | DatasetSettings):
                raise ValueError(f"each must be a name or a mapping with one, not {item!r}")
        return [{"name": item} if isinstance(item, str) else item for item in raw]

    @field_validator("algorithms", mode="before")
    @classmethod
    def _names_to_algorithms(cls, raw: Any) -> Any:
        if isinstance(raw, list):
            twice = _first_repeated(map(str, raw))
            if twice is not None:
                raise ValueError(f"{twice} is listed twice; a variant needs a name of its own")
            raw = {str(name): {} for name in raw}
        if not isinstance(raw, dict):
            raise ValueError(f"must be a list of names or a mapping, not {raw!r}")
        for name in raw:
            if not COLUMN_NAME.fullmatch(str(name)):
                raise ValueError(f"{name!r} is no name for an algorithm (letters, digits and ._+@=,- only)")
        return {
            name: _hyperparameters(value, f"algorithms.{name}", default=name) for name, value in raw.items()
        }

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_to_seeds(cls, raw: Any) -> Any:
        if isinstance(raw, int) and not isinstance(raw, bool):
            if not 0 <= raw <= SEEDS_LIMIT:
                raise ValueError(
                    f"{raw} is no number of seeds; give 1 to {SEEDS_LIMIT:,}, or a list of seeds"
                )
            return list(range(raw))
        if not isinstance(raw, list | tuple):
            raise ValueError(f"must be a number of seeds or a list of them, not {raw!r}")
        return raw

    @model_validator(mode="after")
    def _names_are_unique(self) -> Experiment:
        for what, names in (
            ("seed", [str(seed) for seed in self.seeds]),
            ("dataset", [slug(dataset.name) for dataset in self.datasets]),
        ):
            twice = _first_repeated(names)
            if twice is not None:
                raise ValueError(f"{what} {twice} is listed twice")
        columns = self.columns()
        folders = (Trial.folder(column, each.name, 0) for column in columns for each in self.datasets)
        shared = _first_repeated(folders)
        if shared is not None:
            raise ValueError(f"two trials would share the folder {shared}; rename an algorithm or a dataset")
        longest = Trial.folder(
            max(columns, key=len),
            max((dataset.name for dataset in self.datasets), key=lambda name: len(slug(name))),
            max(self.seeds),
        )
        if len(longest) > LONGEST_FILE_NAME:
            raise ValueError(
                f"the folder {longest[:60]}... of a trial would have a name of {len(longest)} characters, of "
                f"{LONGEST_FILE_NAME} possible ones; shorten the name of the dataset or of the algorithm"
            )
        for name, hyperparameters in columns.items():
            if hyperparameters.precision == "tf32" and not self.resources.of(name).gpus:
                raise ValueError(f"algorithm {name}: precision tf32 needs a GPU: set resources.gpus to 1")
        for name in self.resources.algorithms:
            if name not in columns and name not in self.algorithms:
                raise ValueError(f"resources.algorithms: no algorithm {name}{nearest(name, self.algorithms)}")
        return self

    def columns(self) -> dict[str, Hyperparameters]:
        """The algorithms with every sweep axis expanded: column name to hyper-parameters."""
        axes = _axes_by_algorithm(self.sweep, self.algorithms)
        columns: dict[str, Hyperparameters] = {}
        for name, base in self.algorithms.items():
            for values in itertools.product(*axes[name].values()):
                setting = dict(zip(axes[name], values, strict=True))
                column = _variant_name(name, setting)
                if column in columns:
                    raise ValueError(f"two algorithms would be the column {column}; rename one of them")
                columns[column] = _hyperparameters(base.model_dump() | setting, f"sweep of {name}")
        return columns

    def trials(self) -> list[Trial]:
        """Every trial, seeds outermost, so that a first table over all columns comes early."""
        columns = self.columns()
        return [
            Trial(
                algorithm=column,
                dataset=dataset,
                seed=seed,
                hyperparameters=hyperparameters,
                data=self.data,
                training=self.training,
                evaluation=self.evaluation,
            )
            for seed in self.seeds
            for dataset in self.datasets
            for column, hyperparameters in columns.items()
        ]


def slug(name: str) -> str:
    """The name with every character that a file name cannot bear replaced by a dash."""
    return re.sub(r"[^A-Za-z0-9._+@=,-]+", "-", name).strip("-.") or "dataset"


def _first_repeated(names: Iterable[str]) -> str | None:
    """The first that was there before; None where all differ."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _hyperparameters(raw: Any, where: str, default: str | None = None) -> Hyperparameters:
    """Read hyper-parameters by the class of the algorithm that they name."""
    if isinstance(raw, Hyperparameters):
        return raw
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise ValueError(f"{where} must be a mapping of hyper-parameters, not {raw!r}")
    algorithm = raw.get("algorithm", default)
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ValueError(f"unknown algorithm {algorithm!r}{nearest(str(algorithm), ALGORITHMS)}")
    return validate(ALGORITHMS[algorithm].hyperparameters, {**raw, "algorithm": algorithm}, where)


def _axes_by_algorithm(
    sweep: dict[str, tuple[Any, ...]], algorithms: dict[str, Hyperparameters]
) -> dict[str, dict[str, tuple[Any, ...]]]:
    axes: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name in algorithms}
    for path, values in sweep.items():
        section, _, rest = path.partition(".")
        name, _, hyperparameter = rest.rpartition(".")
        if section != "algorithms" or name not in algorithms:
            raise ValueError(
                f"sweep axis {path!r} must read algorithms.NAME.HYPERPARAMETER, with NAME one of "
                f"{', '.join(algorithms)}"
            )
        twice = next((value for index, value in enumerate(values) if value in values[:index]), None)
        if twice is not None:
            raise ValueError(f"sweep.{path}: {twice} is listed twice")
        axes[name][hyperparameter] = values
    return axes


def _variant_name(name: str, setting: dict[str, Any]) -> str:
    if not setting:
        return name
    return f"{name}@" + ",".join(f"{key}={slug(str(value))}" for key, value in setting.items())
