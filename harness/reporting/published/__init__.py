"""Scores that others published, each with its source and the protocol behind it. One YAML file per source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from harness.errors import HarnessError
from harness.reporting.names import same_algorithms
from harness.scores import Score
from harness.validation import nearest


@dataclass(frozen=True)
class Protocol:
    """How the scores came about; None where the source does not say.

    Attributes:
        score: which of a run's evaluations count: `final` (mean of the last ones), `last` or `best`.
        evaluations: the same in words.
        ddof: of the printed deviations over seeds.
    """

    datasets: str
    score: Score
    evaluations: str
    gradient_steps: int | None = None
    seeds: int | None = None
    ddof: int | None = None
    remarks: str = ""

    def sentence(self) -> str:
        steps = (
            f"{self.gradient_steps:,} gradient steps" if self.gradient_steps else "gradient steps not stated"
        )
        seeds = f"{self.seeds} seeds" if self.seeds else "seeds not stated"
        ddof = "ddof not stated" if self.ddof is None else f"ddof={self.ddof}"
        parts = [self.datasets, steps, seeds, self.evaluations, ddof, self.remarks]
        return "; ".join(filter(None, parts))


@dataclass(frozen=True)
class Published:
    """One source: `scores[algorithm][dataset]` is (mean, deviation or None)."""

    name: str
    title: str
    source: str
    url: str
    protocol: Protocol
    scores: dict[str, dict[str, tuple[float, float | None]]]

    def algorithms(self, ours: Iterable[str]) -> dict[str, str]:
        """Our name to theirs, of the algorithms that both have."""
        return same_algorithms(ours, self.scores)

    @property
    def datasets(self) -> list[str]:
        return list(dict.fromkeys(dataset for scores in self.scores.values() for dataset in scores))


def names() -> list[str]:
    """Of all sources, sorted."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_all(names: str | None) -> list[Published]:
    """Of `--published NAME,NAME`.

    Raises:
        HarnessError: for a name that no source has, or none at all.
    """
    if names is None:
        return []
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not wanted:
        raise HarnessError(f"--published {names}: names no source (`harness published list` shows them)")
    return [load(name) for name in wanted]


def load(name: str) -> Published:
    """
    Raises:
        HarnessError: for a name that no source has.
    """
    if name not in names():
        raise HarnessError(
            f"no published scores {name!r}{nearest(name, names())} (`harness published list` shows them)"
        )
    raw: dict[str, Any] = yaml.safe_load(
        (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    )
    scores = {
        algorithm: {dataset: (pair[0], pair[1] if len(pair) > 1 else None) for dataset, pair in rows.items()}
        for algorithm, rows in raw["scores"].items()
    }
    return Published(name, raw["title"], raw["source"], raw["url"], Protocol(**raw["protocol"]), scores)
