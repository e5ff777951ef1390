"""Human-readable descriptions of datasets: episodes, returns, scores and defects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import filesize

from harness.datasets import MINARI, OGBENCH, files, hdf5, provided, registry
from harness.datasets.dataset import ReferenceScores
from harness.datasets.file_source import FileSource
from harness.datasets.recording import Recording
from harness.datasets.settings import DatasetSettings, DataSettings
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
    returns: NDArray[np.float64]
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
        return [
            "",
            "  episode returns",
            *(
                f"  {low:10.1f} to {high:10.1f}  {_bar(count / counts.max())} {count}"
                for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
            ),
        ]


def describe(name: str, environment: str | None = None) -> Description:
    """Describe a dataset.

    Args:
        name: a registered id, `minari:ID`, `ogbench:NAME`, or the path of a file in D4RL's layout.
        environment: the gymnasium task of a file, instead of the one that it names.

    Raises:
        HarnessError: for an unknown id, or a file that cannot be read.
    """
    if name in provided.installed():
        found = provided.with_file(DatasetSettings(name=name, environment=environment))
        return describe(str(found.path), found.environment)
    if name.startswith(MINARI):
        return _describe_minari(name)
    if name.startswith(OGBENCH):
        return _describe_ogbench(name)
    registered = registry.registered().get(name)
    if registered is None and not ("/" in name or Path(name).exists() or name.endswith((".hdf5", ".h5"))):
        registered = registry.find(name)
    if registered is None:
        return _describe_file(Path(name), DatasetSettings(name=name, path=name, environment=environment), {})
    facts = {"environment": registered.task.environment, "note": registered.task.note or ""}
    facts |= {"source": registered.url or "comes with this package"}
    facts = {key: value for key, value in facts.items() if value}
    path = files.local_path(registered)
    if path.exists():
        return _describe_file(path, DatasetSettings(name=name), facts)
    size = f", {filesize.decimal(registered.size)}" if registered.size else ""
    facts["file"] = f"not here (`harness data download {name}`{size})"
    return Description(name, facts | _reference_facts(registered.reference, np.zeros(0)), np.zeros(0))


def _describe_file(path: Path, settings: DatasetSettings, known: dict[str, str]) -> Description:
    source = FileSource(path, settings)
    facts = {"environment": source.environment or "unknown (--environment names it)"} | known
    for key, title in (("policy", "made by"), ("source", "made from")):
        if key in source.attributes:
            facts[title] = str(source.attributes[key])
    facts["file"] = f"{path} ({filesize.decimal(path.stat().st_size)})"
    with hdf5.open_file(path) as file:
        facts["steps"] = f"{len(file)} (observations {file.observation_size}, actions {file.action_size})"
        steps = len(file)
    returns = np.zeros(0)
    try:
        recording = source.read(DataSettings())
    except HarnessError as error:
        facts["problem"] = str(error)
    else:
        returns = recording.episode_returns()
        facts |= _recording_facts(recording) | {"actions": _action_fact(source, recording)}
    return Description(settings.name, facts | _reference_facts(source.reference, returns), returns, steps)


def _action_fact(source: FileSource, recording: Recording) -> str:
    try:
        action_range = source.action_range()
    except HarnessError as error:
        return f"their range is unknown ({error})"
    if action_range is None:
        return "their range is unknown"
    found, expected = recording.actions.shape[1], len(action_range.low)
    if found != expected:
        task = source.environment or "the task"
        return f"of size {found}, but {task} takes actions of size {expected}: it is another task"
    outside = action_range.exceeded_by(recording.actions)
    return f"{outside}; data.clip_actions=true clips them" if outside else "in the task's range"


def _describe_minari(name: str) -> Description:
    from harness.datasets import from_minari
    from harness.datasets.minari_environment import evaluation_environment

    from_minari.check(DatasetSettings(name=name))
    if not from_minari.is_local(name):
        facts = {"file": f"not here (`minari download {name.removeprefix(MINARI)}`, or at its first use)"}
        return Description(name, facts, np.zeros(0))
    dataset: Any = from_minari.opened(name)
    keys = from_minari.observation_keys(name, dataset, ())
    recording = from_minari.record(name, dataset, keys)
    returns = recording.episode_returns()
    environment = evaluation_environment(name, dataset)
    facts = {"environment": str(environment or "unknown"), "steps": str(len(recording))}
    facts |= _recording_facts(recording)
    facts |= _reference_facts(from_minari.reference(name, dataset, environment), returns)
    return Description(name, facts, returns)


def _describe_ogbench(name: str) -> Description:
    from harness.datasets import from_ogbench

    environment = from_ogbench.known_environment(DatasetSettings(name=name))
    facts = {"environment": environment, "scores": "success rate x 100"}
    path = from_ogbench.local_path(name)
    if not path.exists():
        facts["file"] = f"not here (`harness data download {name}`)"
        return Description(name, facts, np.zeros(0))
    recording = from_ogbench.record(name, path)
    facts |= {"file": f"{path} ({filesize.decimal(path.stat().st_size)})", "steps": str(len(recording))}
    return Description(name, facts | _recording_facts(recording), recording.episode_returns())


def _recording_facts(recording: Recording) -> dict[str, str]:
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


def _reference_facts(reference: ReferenceScores | None, returns: NDArray[np.float64]) -> dict[str, str]:
    if reference is None:
        return {"reference scores": "none, so no normalized score"}
    facts = {"reference scores": f"{reference.minimum:g} (0) and {reference.maximum:g} (100)"}
    if len(returns):
        mean, spread = (
            reference.normalize(float(returns.mean())),
            reference.normalize_spread(float(returns.std())),
        )
        facts["normalized score"] = f"{mean:.1f} ± {spread:.1f} (of the behaviour, over episodes)"
    return facts


def _bar(share: float) -> str:
    return f"{'█' * round(BAR_WIDTH * share):<{BAR_WIDTH}}"


def _spread(values: NDArray[Any], form: str = ".1f") -> str:
    low, middle, high = np.quantile(values, (0, 0.5, 1))
    return f"{values.mean():{form}} (median {middle:{form}}, {low:{form}} to {high:{form}})"
