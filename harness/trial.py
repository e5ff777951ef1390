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
from harness.settings import Seed, Settings
from harness.training.settings import EvaluationSettings, TrainingSettings
from harness.validation import validate

NOT_IN_DIGEST: dict[str, set[str]] = {
    "dataset": {"published_as", "path", "label"},
    "hyperparameters": {"label"},
    "training": {"on_divergence", "save_policy"},
}
"""Settings that no result depends on, by section. A file may be moved: what counts is its content, of which a
run keeps a digest."""


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
            "hyperparameters": read_hyperparameters(raw.get("hyperparameters"), "hyperparameters", algorithm),
        }

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
        """What trials that are trained side by side have in common: all but seed and dataset."""
        return self.model_dump_json(exclude={"seed", "dataset"})

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that the result depends on, a user's own algorithm file included."""
        settings = self.model_dump(mode="json", exclude=NOT_IN_DIGEST)
        source = registry.source_digest(self.hyperparameters.algorithm)
        if source is not None:
            settings["source"] = source
        canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def slug(name: str) -> str:
    """Return the name as a file name: accents are dropped, and other characters replaced by a dash.

    A name that is not ASCII is followed by a digest, so that no two become one: 数据 is dataset-5440f742.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9._+@=,-]+", "-", plain).strip("-.") or "dataset"
    if name.isascii():
        return readable
    composed = unicodedata.normalize("NFC", name)
    return f"{readable}-{hashlib.sha256(composed.encode(errors='surrogatepass')).hexdigest()[:8]}"


def read_hyperparameters(raw: Any, where: str, default: str | None = None) -> Hyperparameters:
    """Read hyper-parameters by the class of the algorithm that they name."""
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
