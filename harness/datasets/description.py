"""Human-readable descriptions of datasets: episodes, returns, scores and defects."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import filesize

from harness.datasets.dataset import ReferenceScores
from harness.datasets.recording import Recording
from harness.datasets.settings import DataSettings
from harness.datasets.transitions import select
from harness.errors import HarnessError
from harness.writing import written_whole

BINS = 12
BAR_WIDTH = 40


@dataclass(frozen=True)
class Description:
    """A human-readable description of a dataset."""

    name: str
    facts: dict[str, str]
    returns: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """[episodes]; empty if the dataset is not on this machine."""
    steps: int = 0

    def text(self) -> str:
        """Return the facts line by line, and a histogram of the episode returns."""
        width = max(len(key) for key in self.facts)
        lines = [self.name, *(f"  {key:<{width}}  {value}" for key, value in self.facts.items())]
        return "\n".join([*lines, *self._histogram()])

    def as_dict(self) -> dict[str, Any]:
        """Return the description for JSON, with the return of every episode."""
        return {"name": self.name, "steps": self.steps, "returns": self.returns.tolist(), "facts": self.facts}

    def draw(self, path: str) -> None:
        """Draw the distribution of the episode returns to a file; its suffix names the format."""
        if not len(self.returns):
            raise HarnessError(f"{self.name}: there are no returns to draw")
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5, 3), layout="constrained")
        axes = figure.subplots()
        mean = self.returns.mean()
        bins = min(50, max(BINS, len(self.returns) // 20))
        axes.hist(self.returns, bins=bins, range=self._range(), color="#0072B2")
        axes.axvline(mean, color="#D55E00", linestyle="--", label=f"mean {mean:.1f}")
        axes.set(xlabel="episode return", ylabel="episodes", title=Path(self.name).name)
        axes.grid(axis="y", color="0.9", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        with written_whole(Path(path)) as scratch:
            figure.savefig(scratch, format=Path(path).suffix[1:], dpi=200)

    def _range(self) -> tuple[float, float]:
        """Return the range of a histogram, widened if all returns are almost equal."""
        low, high = float(self.returns.min()), float(self.returns.max())
        least = max(1.0, 1e-6 * max(abs(low), abs(high)))
        return (low, high) if high - low > 1e-9 * least else (low - least / 2, high + least / 2)

    def _histogram(self) -> list[str]:
        if not len(self.returns):
            return []
        counts, edges = np.histogram(self.returns, bins=BINS, range=self._range())
        decimals = max(1, 1 - math.floor(math.log10(edges[1] - edges[0])))
        lines = ["", "  episode returns"]
        for count, (low, high) in zip(counts, pairwise(edges), strict=True):
            bar = "█" * round(BAR_WIDTH * (count / counts.max()))
            lines.append(f"  {low:10.{decimals}f} to {high:10.{decimals}f}  {bar:<{BAR_WIDTH}} {count}")
        return lines


def recording_facts(recording: Recording) -> dict[str, str]:
    """Describe episodes, and the transitions that training uses with default settings."""
    ends = recording.ends
    last = np.flatnonzero(ends.last)
    unfinished = len(recording) - (int(last[-1]) + 1 if len(last) else 0)
    if not ends.ordered:
        episodes = "unknown (rows are not in chronological order)"
    elif len(last):
        episodes = f"{len(last)}, {_spread(np.diff(last, prepend=-1), '.0f')} steps long"
    else:
        episodes = "none ends"
    facts = {"episodes": episodes}
    if ends.ordered and unfinished:
        facts["after the last end"] = f"{unfinished} steps"
    try:
        chosen = select(recording, DataSettings())
    except HarnessError as error:
        facts["transitions"] = f"none ({error})"
    else:
        facts["transitions"] = f"{len(chosen.rows)} used in training (with default settings)"
        facts["terminals"] = str(int(chosen.terminals[chosen.rows].sum()))
        facts |= {f"read as ({number})": note for number, note in enumerate(chosen.notes, 1)}
    facts["timeouts"] = str(int(ends.timeouts.sum()))
    returns = recording.episode_returns()
    if len(returns):
        facts["return"] = _spread(returns)
    return facts


def reference_facts(reference: ReferenceScores | None, returns: NDArray[np.float64]) -> dict[str, str]:
    """Describe the reference scores, and the normalized score of the returns if there are any."""
    if reference is None:
        return {"reference scores": "none, so no normalized score"}
    facts = {"reference scores": f"{reference.minimum:g} (0) and {reference.maximum:g} (100)"}
    if len(returns):
        mean = reference.normalize(float(returns.mean()))
        spread = reference.normalize_spread(float(returns.std()))
        facts["normalized score"] = f"{mean:.1f} ± {spread:.1f} (of the behaviour, over episodes)"
    return facts


def file_fact(path: Path) -> str:
    """Return the path and the size of a file."""
    return f"{path} ({filesize.decimal(path.stat().st_size)})"


def _spread(values: NDArray[Any], form: str = ".1f") -> str:
    low, middle, high = np.quantile(values, (0, 0.5, 1))
    return f"{values.mean():{form}} (median {middle:{form}}, {low:{form}} to {high:{form}})"
