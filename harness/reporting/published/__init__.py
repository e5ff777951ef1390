"""Published scores with their sources and protocols, in one YAML file per source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from harness import safe_yaml
from harness.errors import HarnessError
from harness.reporting.names import same_algorithms
from harness.reporting.published.source import Protocol, Published
from harness.validation import nearest

__all__ = ["Protocol", "Published", "load", "load_all", "names"]


def names() -> list[str]:
    """List the names of all sources, sorted."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_all(requests: Sequence[str]) -> list[Published]:
    """Load the sources named by `--published`, each NAME[,NAME] or NAME:ALGORITHM[,ALGORITHM].

    Raises:
        HarnessError: for an unknown name or algorithm, and a source named twice.
    """
    separate = [[request] if ":" in request else _listed(request) for request in requests]
    sources = [load(request) for each in separate for request in each]
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"--published names {name} twice; list its algorithms once, as in {name}:A,B")
    return sources


def load(request: str) -> Published:
    """Load the source NAME, or NAME:ALGORITHM[,ALGORITHM] to choose the algorithms that it shows.

    Raises:
        HarnessError: for an unknown name or algorithm.
    """
    name, colon, algorithms = request.strip().partition(":")
    if name not in names():
        hint = f"{nearest(name, names())} (run `harness published list` to see all)"
        raise HarnessError(f"no published scores {name!r}{hint}")
    text = (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = safe_yaml.read(text, name)
    protocol = raw["protocol"] = Protocol(**raw["protocol"])
    raw["exceptions"] = {key: replace(protocol, **each) for key, each in raw.get("exceptions", {}).items()}
    raw["scores"] = {
        algorithm: {dataset: (pair[0], pair[1] if len(pair) > 1 else None) for dataset, pair in rows.items()}
        for algorithm, rows in raw["scores"].items()
    }
    source = Published(name=name, **raw)
    return replace(source, chosen=_choose(source, algorithms)) if colon else source


def _choose(source: Published, algorithms: str) -> tuple[str, ...]:
    """Find each algorithm of a comma-separated list, in any spelling, among those of the source."""
    chosen = []
    for name in _listed(algorithms):
        found = same_algorithms([name], source.scores).get(name)
        if found is None:
            raise HarnessError(f"published {source.name} has no {name!r}{nearest(name, source.scores)}")
        chosen.append(found)
    return tuple(dict.fromkeys(chosen))


def _listed(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]
