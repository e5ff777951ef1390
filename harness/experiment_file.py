"""Reads and writes experiment files, and applies the changes of the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness import safe_yaml
from harness.datasets.provided import with_file
from harness.datasets.settings import DatasetSettings
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.validation import nearest, validate


class Change(NamedTuple):
    """A change that the command line makes to an experiment."""

    shown: str
    """The option as the user typed it."""
    path: str
    value: Any


def load(path: Path | str, settings: Sequence[str] = (), seeds: str | None = None) -> Experiment:
    """Read an experiment file, then apply `--set` settings (`key.path=value`) and `--seeds`.

    A relative path of a dataset is looked up in the folder of the experiment file first, then in the current
    folder; in a setting, only in the current folder. Paths are made absolute, because workers run elsewhere.

    Raises:
        HarnessError: for a file that cannot be read, and for invalid content.
    """
    path = Path(path)
    experiment = _with_absolute_paths(parse(safe_yaml.read_text(path), str(path)), path.parent)
    changes = [_setting(setting) for setting in settings]
    if seeds is not None:
        changes.append(Change(f"--seeds {seeds}", "seeds", seeds_value(seeds)))
    return _with_absolute_paths(_with_changes(experiment, changes))


def move_data(experiment: Experiment, settings: Sequence[str]) -> Experiment:
    """Apply `--set datasets.N.path=FILE` to an experiment that has run, and reject other settings."""
    changes = [_setting(setting) for setting in settings]
    for change in changes:
        if re.fullmatch(r"datasets\.\d+\.path", change.path) is None:
            raise HarnessError(
                f"{change.shown}: a started run keeps its settings; only datasets.N.path may change, "
                "if the same data was moved"
            )
    return _with_absolute_paths(_with_changes(experiment, changes))


def parse(text: str, source: str) -> Experiment:
    """Read an experiment from the text of a file."""
    raw = safe_yaml.read(text, source)
    if not isinstance(raw, dict):
        raise HarnessError(f"{source}: an experiment is a mapping with name, datasets, algorithms and seeds")
    try:
        return validate(Experiment, raw)
    except HarnessError as error:
        raise HarnessError(f"{source}: {error}") from None


def dump(experiment: Experiment) -> str:
    """Return the experiment as YAML with every value, defaults included."""
    return safe_yaml.dump(experiment.model_dump(mode="json"))


def seeds_value(text: str) -> int | list[int]:
    """Parse `--seeds 3` as a number of seeds, and `--seeds 0,4,7` as a list of them."""
    try:
        return [int(seed) for seed in text.split(",") if seed.strip()] if "," in text else int(text)
    except ValueError:
        raise HarnessError(
            f"--seeds {text}: give a number of seeds, such as 3, or a list of them, such as 0,4,7"
        ) from None


def _with_absolute_paths(experiment: Experiment, folder: Path | None = None) -> Experiment:
    datasets = tuple(_absolute(with_file(dataset), folder) for dataset in experiment.datasets)
    return experiment.model_copy(update={"datasets": datasets})


def _absolute(dataset: DatasetSettings, folder: Path | None) -> DatasetSettings:
    """Make a path absolute: in the folder if the file exists there, else in the current folder."""
    if dataset.path is None:
        return dataset
    try:
        given = Path(dataset.path).expanduser()
    except RuntimeError:
        raise HarnessError(f"dataset {dataset.name}: {dataset.path} names an unknown user") from None
    nearby = given if folder is None else folder / given
    path = nearby if nearby.exists() else given
    return dataset.model_copy(update={"path": str(path.absolute())})


def _setting(text: str) -> Change:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise HarnessError(f"--set {text}: write key.path=value, such as training.gradient_steps=20000")
    return Change(f"--set {text}", path, safe_yaml.read(value, f"--set {text}"))


def _with_changes(experiment: Experiment, changes: Sequence[Change]) -> Experiment:
    """Apply all changes, of which some are valid only together; an error names those since it was valid."""
    raw = experiment.model_dump(mode="json")
    applied: list[str] = []
    invalid: HarnessError | None = None
    for change in changes:
        _assign(raw, change.path, change)
        if re.match(r"(algorithms|sweep|samples|sampling|sampling_seed)\b", change.path):
            raw["sampled"] = {}  # samples are drawn again
        applied.append(change.shown)
        try:
            experiment = validate(Experiment, raw)
        except HarnessError as error:
            invalid = HarnessError(f"{' '.join(applied)}: {error}")
        else:
            raw, applied, invalid = experiment.model_dump(mode="json"), [], None
    if invalid:
        raise invalid
    return experiment


def _assign(node: Any, path: str, change: Change) -> None:
    """Set the value at a dotted path below a mapping or a list; keys may contain dots.

    The path must exist, except in mappings whose keys the user chooses.
    """
    keys = [str(key) for key in (node if isinstance(node, dict) else range(len(node)))]
    key = max((key for key in keys if f"{path}.".startswith(f"{key}.")), key=len, default=None)
    above = change.path.removesuffix(path).rstrip(".")
    if key is None:
        if isinstance(node, dict) and _may_be_added(above, change.value):
            node[path] = change.value
        elif above == "resources.algorithms" and "." in path:
            variant, _, resource = path.rpartition(".")
            node[variant] = {resource: change.value}
        else:
            raise HarnessError(
                f"{change.shown}: there is no {change.path}{nearest(path.split('.')[0], keys)}"
            )
        return
    index: Any = key if isinstance(node, dict) else int(key)
    below = path[len(key) + 1 :]
    if not below:
        node[index] = change.value
    elif isinstance(node[index], dict | list):
        _assign(node[index], below, change)
    else:
        raise HarnessError(
            f"{change.shown}: {change.path.removesuffix(f'.{below}')} is a value and has no {below}"
        )


def _may_be_added(mapping: str, value: Any) -> bool:
    if mapping in ("algorithms", "resources.algorithms"):
        return value is None or isinstance(value, dict)
    open_mapping = r"sweep|datasets\.\d+\.mixture|overrides\.\d+\.(hyperparameters|data)"
    return re.fullmatch(open_mapping, mapping) is not None
