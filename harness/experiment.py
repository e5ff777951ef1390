"""The experiment: the content of its file, the defaults, and its trials."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from harness.algorithms.hyperparameters import Hyperparameters
from harness.datasets import registry
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.search import Search
from harness.search.axes import Axis, axes_by_algorithm, ranges, read_axis, require_count
from harness.search.halving import HalvingSettings
from harness.search.sampling import Sampling, draw
from harness.training.settings import EvaluationSettings, SelectionSettings, TrainingSettings
from harness.trial import Trial, read_hyperparameters
from harness.tuning.settings import ResourceSettings
from harness.validation import Seed, Settings, Whole, nearest
from harness.variants import Override, Variants, expand, overridden

SEEDS_LIMIT = 100_000
SAMPLES_LIMIT = 10_000

EXPERIMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
COLUMN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=,-]{0,99}")


class Experiment(Settings):
    """Algorithms x datasets x seeds, and how they are trained and evaluated."""

    name: str
    """Name of the experiment and of its results directory: letters, digits and `._+-`."""
    description: str = ""
    """What the experiment is for, shown in its report."""
    datasets: tuple[DatasetSettings, ...] = Field(min_length=1)
    """Names of datasets, or mappings with a name and the source of the data."""
    algorithms: dict[str, SerializeAsAny[Hyperparameters]] = Field(min_length=1)
    """Column name to hyper-parameters; the key `algorithm` names the algorithm of a variant."""
    sweep: dict[str, Annotated[Axis, BeforeValidator(read_axis)]] = Field(default_factory=dict)
    """`algorithms.NAME.HYPERPARAMETER` to a list of values or a range such as `{log_uniform: [0.1, 10]}`. One
    variant for each combination of listed values and each sample of the ranges takes the place of NAME."""
    samples: Annotated[Whole, Field(ge=1, le=SAMPLES_LIMIT)] | None = Field(None, validate_default=True)
    """The number of samples drawn from the ranges of each algorithm."""
    sampling: Sampling = "sobol"
    """`sobol` covers the ranges evenly; `random` draws each sample independently."""
    sampling_seed: Seed = 0
    """The seed that samples are drawn with; the result of a sample does not depend on it."""
    sampled: dict[str, tuple[dict[str, Any], ...]] = Field(default_factory=dict, validate_default=True)
    """The values of each sample, by algorithm: drawn if they are not given, and stored with the results."""
    halving: HalvingSettings | None = None
    """Stop most samples early, by successive halving."""
    seeds: tuple[Seed, ...] = Field(min_length=1, max_length=SEEDS_LIMIT)
    """A list of seeds, or a number n, which means 0 ... n-1."""
    data: DataSettings = DataSettings()
    """How the transitions of every dataset are processed."""
    overrides: tuple[Override, ...] = ()
    """Hyper-parameters and data settings that replace those in `algorithms` and `data` for some trials."""
    training: TrainingSettings = TrainingSettings()
    """How long every trial is trained."""
    evaluation: EvaluationSettings = EvaluationSettings()
    """When and how policies are evaluated."""
    selection: SelectionSettings | None = None
    """How trained policies are compared without the environment, after the trials; None for no comparison."""
    resources: ResourceSettings = ResourceSettings()
    """The resources of running trials."""

    @field_validator("name")
    @classmethod
    def _name_of_a_directory(cls, name: str) -> str:
        if not EXPERIMENT_NAME.fullmatch(name):
            raise ValueError(
                f"invalid experiment name {name!r}; use only letters, digits and ._+-, a letter or digit "
                "first, 100 at most"
            )
        return name

    @field_validator("datasets")
    @classmethod
    def _names_of_registered_datasets(cls, datasets: tuple[DatasetSettings, ...]) -> Any:
        """Reject a registered name for other data, because tables would show it as the registered dataset."""
        known = registry.registered()
        for dataset in datasets:
            if dataset.name in known and (dataset.path or dataset.mixture):
                raise ValueError(
                    f"{dataset.name}: that is the name of a registered dataset; give your own data "
                    "another name"
                )
            if dataset.published_as is not None and dataset.published_as not in known:
                raise ValueError(
                    f"{dataset.name}: published_as: {dataset.published_as!r} is not a registered dataset"
                    f"{nearest(dataset.published_as, known)} (`harness data list` shows all)"
                )
        return datasets

    @field_validator("algorithms", mode="before")
    @classmethod
    def _names_to_algorithms(cls, raw: Any) -> Any:
        if isinstance(raw, list):
            names = [str(name) for name in raw]
            variants = [name.rpartition(":")[2] for name in names]  # of `module:Class` the class
            twice = _first_repeated(variants)
            if twice is not None:
                raise ValueError(f"{twice} is listed twice; give each variant another name")
            raw = {variant: {"algorithm": name} for variant, name in zip(variants, names, strict=True)}
        if not isinstance(raw, dict):
            raise ValueError(f"must be a list of names or a mapping, not {raw!r}")
        for name in raw:
            if not COLUMN_NAME.fullmatch(str(name)):
                raise ValueError(f"invalid variant name {name!r}; use only letters, digits and ._+@=,-")
        return {
            name: read_hyperparameters(value, f"algorithms.{name}", default=name)
            for name, value in raw.items()
        }

    @field_validator("sweep")
    @classmethod
    def _of_algorithms(cls, sweep: dict[str, Axis], info: ValidationInfo) -> dict[str, Axis]:
        if "algorithms" in info.data:
            axes_by_algorithm(sweep, info.data["algorithms"])
        return sweep

    @field_validator("samples")
    @classmethod
    def _of_ranges(cls, samples: int | None, info: ValidationInfo) -> int | None:
        if {"algorithms", "sweep"} <= info.data.keys():
            require_count(samples, ranges(axes_by_algorithm(info.data["sweep"], info.data["algorithms"])))
        return samples

    @field_validator("sampled")
    @classmethod
    def _draw(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if not {"algorithms", "sweep", "samples", "sampling", "sampling_seed"} <= info.data.keys():
            return given  # one of them is invalid, which is reported elsewhere
        count, how, seed = (info.data[name] for name in ("samples", "sampling", "sampling_seed"))
        spaces = ranges(axes_by_algorithm(info.data["sweep"], info.data["algorithms"]))
        drawn = {name: given.get(name) or draw(own, count, how, seed, name) for name, own in spaces.items()}
        fits = all(
            len(drawn[name]) == count and all(sample.keys() == own.keys() for sample in drawn[name])
            for name, own in spaces.items()
        )
        if not fits or not given.keys() <= spaces.keys():
            raise ValueError("these are not the samples of sweep; leave them out to draw them again")
        return drawn

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_to_seeds(cls, raw: Any) -> Any:
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        if isinstance(raw, int) and not isinstance(raw, bool):
            if not 0 <= raw <= SEEDS_LIMIT:
                raise ValueError(
                    f"{raw} is out of range; give 1 to {SEEDS_LIMIT:,} seeds, or a list of seeds"
                )
            return list(range(raw))
        if not isinstance(raw, list | tuple):
            raise ValueError(f"must be a number of seeds or a list of them, not {raw!r}")
        return raw

    @model_validator(mode="after")
    def _names_are_unique(self) -> Experiment:
        for what, names in (
            ("seed", [str(seed) for seed in self.seeds]),
            ("dataset", [dataset.name for dataset in self.datasets]),
        ):
            twice = _first_repeated(names)
            if twice is not None:
                raise ValueError(f"{what} {twice} is listed twice")
        folders = (
            Trial.folder(variant, each.name, 0) for variant in self.variants() for each in self.datasets
        )
        shared = _first_repeated(folders)
        if shared is not None:
            raise ValueError(f"two trials would share the folder {shared}; rename an algorithm or a dataset")
        return self

    @model_validator(mode="after")
    def _overrides_apply(self) -> Experiment:
        """Reject overrides for variants or datasets that do not exist, and of swept hyper-parameters."""
        datasets = [dataset.name for dataset in self.datasets]
        for index, override in enumerate(self.overrides):
            if not any(map(override.applies_to, self._variants.hyperparameters)):
                known = nearest(str(override.algorithm), self.algorithms)
                raise ValueError(f"overrides.{index}: no algorithm {override.algorithm}{known}")
            if override.dataset is not None and override.dataset not in datasets:
                known = nearest(override.dataset, datasets)
                raise ValueError(f"overrides.{index}: no dataset {override.dataset}{known}")
            for path in self.sweep:
                name, _, hyperparameter = path.removeprefix("algorithms.").rpartition(".")
                if hyperparameter in override.hyperparameters and override.applies_to(name):
                    raise ValueError(f"overrides.{index} replaces {path}, which the sweep varies; remove one")
        return self

    @model_validator(mode="after")
    def _sections_fit_together(self) -> Experiment:
        for (name, _), (hyperparameters, _) in self._settings.items():
            if hyperparameters.precision == "tf32" and not self.resources.of(name).gpus:
                raise ValueError(f"algorithm {name}: precision tf32 requires a GPU; set resources.gpus to 1")
        for name in self.resources.algorithms:
            if name not in self._variants.hyperparameters and name not in self.algorithms:
                raise ValueError(f"resources.algorithms: no algorithm {name}{nearest(name, self.algorithms)}")
        saved = self.training.save_policy
        if self.selection is not None and saved in ("none", "best"):
            raise ValueError(
                f"selection: {self.selection.method} evaluates the final policy of each trial, which "
                f"training.save_policy: {saved} does not save; set it to final"
            )
        if self.halving is not None:
            if not self.sampled:
                raise ValueError(
                    "halving compares the samples of ranges in sweep; give samples: N and a range"
                )
            self.halving.require_evaluations(self.training.gradient_steps, self.evaluation.interval)
        return self

    def variants(self) -> dict[str, Hyperparameters]:
        """Return the algorithms with every sweep axis expanded: name of the variant to hyper-parameters."""
        return dict(self._variants.hyperparameters)

    @property
    def rungs(self) -> tuple[int, ...]:
        """Return the gradient steps at which samples are compared; none without halving."""
        return self.halving.steps(self.training.gradient_steps) if self.halving is not None else ()

    def searches(self) -> dict[str, Search]:
        """Return the searches for hyper-parameters, by the name of the variant that is searched."""
        return self._variants.searches(drawn=self.sampled)

    @cached_property
    def _variants(self) -> Variants:
        return expand(self.algorithms, axes_by_algorithm(self.sweep, self.algorithms), self.sampled)

    @cached_property
    def _settings(self) -> dict[tuple[str, str], tuple[Hyperparameters, DataSettings]]:
        """Return hyper-parameters and data settings by variant and dataset."""
        return {
            (variant, dataset.name): overridden(
                self.overrides, variant, dataset.name, hyperparameters, self.data
            )
            for dataset in self.datasets
            for variant, hyperparameters in self._variants.hyperparameters.items()
        }

    def trials(self) -> list[Trial]:
        """Return every trial, ordered by seed first, so that a first table of all variants is ready early."""
        return [
            Trial(
                algorithm=variant,
                dataset=dataset,
                seed=seed,
                hyperparameters=self._settings[variant, dataset.name][0],
                data=self._settings[variant, dataset.name][1],
                training=self.training,
                evaluation=self.evaluation,
            )
            for seed in self.seeds
            for dataset in self.datasets
            for variant in self._variants.hyperparameters
        ]


def _first_repeated(names: Iterable[str]) -> str | None:
    """Return the first name that occurs more than once; None if all differ."""
    return next((name for name, count in Counter(names).items() if count > 1), None)
