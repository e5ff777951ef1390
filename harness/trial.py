"""A trial is one variant on one dataset with one seed, and every value that its result depends on."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import Any

from pydantic import SerializeAsAny, model_validator

from harness.algorithms import registry
from harness.algorithms.hyperparameters import Hyperparameters
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError
from harness.training.settings import EvaluationSettings, TrainingSettings
from harness.validation import Seed, Settings, validate

NOT_IN_DIGEST: dict[str, set[str]] = {
    "dataset": {"published_as", "path", "label"},
    "hyperparameters": {"label"},
    "training": {"on_divergence", "save_policy"},
}
"""Settings that no result depends on, by section. A data file may be moved: only its content counts, of which
a run stores a digest."""


class Trial(Settings):
    """One (algorithm, dataset, seed) with every value that its result depends on."""

    algorithm: str
    """The name of its column in tables: an algorithm or a variant of one."""
    dataset: DatasetSettings
    seed: Seed
    hyperparameters: SerializeAsAny[Hyperparameters]
    data: DataSettings = DataSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="before")
    @classmethod
    def _read_hyperparameters(cls, raw: Any) -> Any:
        """Read hyper-parameters with the class of their algorithm."""
        if not isinstance(raw, dict):
            return raw
        given = raw.get("hyperparameters")
        return raw | {"hyperparameters": read_hyperparameters(given, "hyperparameters", raw.get("algorithm"))}

    @property
    def key(self) -> str:
        """The name of the trial's directory."""
        return self.folder(self.algorithm, self.dataset.name, self.seed)

    @staticmethod
    def folder(algorithm: str, dataset: str, seed: int) -> str:
        """Return the name of a trial's folder."""
        return f"{algorithm}--{slug(dataset)}--{seed}"

    @property
    def pack_settings(self) -> str:
        """Return the settings that trials of a pack share: all but seed and dataset."""
        return self.model_dump_json(exclude={"seed", "dataset"})

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything that the result depends on, including a user's algorithm files.

        These count as they were imported: editing them during a run does not change what is training.
        """
        settings = self.model_dump(mode="json", exclude=NOT_IN_DIGEST)
        source = registry.resolve(self.hyperparameters.algorithm).source
        if source is not None:
            settings["source"] = source
        canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def slug(name: str) -> str:
    """Convert a name to a file name: accents are dropped, other characters are replaced by dashes.

    A name that is not ASCII is followed by a digest to stay distinct: 数据 becomes dataset-5440f742.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9._+@=,-]+", "-", plain).strip("-.") or "dataset"
    if name.isascii():
        return readable
    composed = unicodedata.normalize("NFC", name)
    return f"{readable}-{hashlib.sha256(composed.encode(errors='surrogatepass')).hexdigest()[:8]}"


def read_hyperparameters(raw: Any, where: str, default: str | None = None) -> Hyperparameters:
    """Read hyper-parameters with the class of the algorithm that they name."""
    if isinstance(raw, Hyperparameters):
        return raw
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise ValueError(f"{where} must be a mapping of hyper-parameters, not {raw!r}")
    algorithm = raw.get("algorithm", default)
    if not isinstance(algorithm, str):
        raise ValueError(f"{where}.algorithm must be the name of an algorithm, not {algorithm!r}")
    try:
        resolved = registry.resolve(algorithm)
        return validate(registry.hyperparameters_class(algorithm), {**raw, "algorithm": resolved.name}, where)
    except HarnessError as error:
        raise ValueError(str(error)) from error
