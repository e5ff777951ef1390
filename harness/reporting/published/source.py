"""One source of published scores, and the protocol of each of its algorithms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness.reporting.catalogue import Score
from harness.reporting.names import same_algorithms


@dataclass(frozen=True)
class Protocol:
    """The protocol of published scores; None where the source does not state it.

    Attributes:
        datasets: the suites and versions of the datasets, in words.
        score: the evaluations of a run that count: `final` (mean of the last ones), `last` or `best`; None
            if it is another choice or not stated, so that none of our scores is comparable.
        evaluations: the same as text.
        ddof: degrees of freedom that the printed standard deviations over seeds subtract.
    """

    datasets: str
    score: Score | None
    evaluations: str
    gradient_steps: int | None = None
    seeds: int | None = None
    ddof: int | None = None
    remarks: str = ""

    def sentence(self) -> str:
        """Return the whole protocol as one line."""
        return "; ".join(self._parts())

    def differences(self, other: Protocol) -> str:
        """Return one line with only the differences from `other`."""
        return ", ".join(part for part in self._parts() if part not in other._parts())

    def _parts(self) -> list[str]:
        steps = f"{self.gradient_steps:,}" if self.gradient_steps else ""
        parts = [
            self.datasets,
            f"{steps} gradient steps" if steps else "gradient steps not stated",
            f"{self.seeds} seeds" if self.seeds else "seeds not stated",
            self.evaluations,
            "ddof not stated" if self.ddof is None else f"ddof={self.ddof}",
            self.remarks,
        ]
        return [part for part in parts if part]


@dataclass(frozen=True)
class Published:
    """The scores of one source: `scores[algorithm][dataset]` is (mean, standard deviation or None).

    Attributes:
        protocol: of every algorithm that `exceptions` does not list.
        exceptions: algorithm to its own protocol.
        chosen: the algorithms that the user requested; None for those that the results have as well.
    """

    name: str
    title: str
    source: str
    url: str
    protocol: Protocol
    scores: dict[str, dict[str, tuple[float, float | None]]]
    exceptions: dict[str, Protocol] = field(default_factory=dict)
    chosen: tuple[str, ...] | None = None

    def shown(self, ours: Iterable[str]) -> dict[str, str | None]:
        """Map each algorithm to show next to `ours` to the equal one of ours, or to None."""
        same = {theirs: our for our, theirs in same_algorithms(ours, self.scores).items()}
        return {theirs: same.get(theirs) for theirs in (same if self.chosen is None else self.chosen)}

    def datasets(self, algorithms: Iterable[str] | None = None) -> list[str]:
        """List the datasets that any of these algorithms, by default of all, has a score on."""
        names = self.scores if algorithms is None else algorithms
        return list(dict.fromkeys(dataset for name in names for dataset in self.scores[name]))

    def protocol_of(self, algorithm: str) -> Protocol:
        """Return the protocol of one of the source's algorithms."""
        return self.exceptions.get(algorithm, self.protocol)

    def differences(self, algorithms: Iterable[str]) -> Iterator[str]:
        """Return, for each distinct protocol, one line with its differences from that of the source."""
        alike: dict[str, list[str]] = {}
        for name in algorithms:
            if difference := self.protocol_of(name).differences(self.protocol):
                alike.setdefault(difference, []).append(name)
        for difference, names in alike.items():
            yield f"{', '.join(names)}: {difference}"

    def citation(self, algorithms: Iterable[str]) -> str:
        """Name the source and the protocol of these algorithms in one sentence for a caption."""
        protocol = "; ".join([self.protocol.sentence(), *self.differences(algorithms)])
        return f"{self.name}: {self.source} ({protocol})."
