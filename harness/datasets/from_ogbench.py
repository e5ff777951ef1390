"""Datasets of OGBench (arXiv 2410.20092, https://github.com/seohongpark/ogbench), by `ogbench:NAME`.

Its single-task datasets are those for offline RL with rewards: the steps of a goal-conditioned dataset with
the rewards of one of five tasks, -1 for each part that is not done. Policies are evaluated by success rate.
"""

from __future__ import annotations

import os
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import WrapperSpec
from pydantic import JsonValue

from harness.datasets import OGBENCH
from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.description import Description, file_fact, recording_facts
from harness.datasets.download import fetch
from harness.datasets.episode_ends import EpisodeEnds
from harness.datasets.files import check_same, checked_digest
from harness.datasets.loading import load_transitions
from harness.datasets.progress import ProgressCallback, download_bar
from harness.datasets.recording import Recording
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.datasets.transfer import RejectedError
from harness.environments.factory import make
from harness.environments.ogbench import seeded_globally
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError, needs_extra, typed_line
from harness.validation import nearest

NAME = re.compile(
    r"(?P<task>[a-z0-9-]+)-(?P<data>[a-z]+)-singletask(?P<number>-task[1-5])?-(?P<version>v\d+)"
)
SUCCESS_RATE = ReferenceScores(0.0, 1.0)
SUCCESS = WrapperSpec("SuccessReward", "harness.environments.ogbench:SuccessReward", {})
DIRECTORY_VARIABLE = "OGBENCH_DATASET_DIR"


def check(settings: DatasetSettings) -> None:
    """Check that OGBench is installed, and that the name is one of its single-task names."""
    _environment_name(settings.name)


def known_environment(settings: DatasetSettings) -> str:
    """Return the id of the dataset's environment."""
    return OGBENCH + _environment_name(settings.name)


def download_size(settings: DatasetSettings) -> int | None:
    """Return 0 for a file on this machine; the sizes of others are not known."""
    return 0 if local_path(settings.name).exists() else None


def local_path(name: str) -> Path:
    """Return where the dataset's file is, or will be once it is downloaded: OGBench's own directory.

    The directory is $OGBENCH_DATASET_DIR, or ~/.ogbench/data. The tasks of a dataset share its file.
    """
    match = _match(name)
    directory = Path(os.environ.get(DIRECTORY_VARIABLE) or Path.home() / ".ogbench" / "data")
    return directory / f"{match['task']}-{match['data']}-{match['version']}.npz"


def download_ogbench(name: str, progress: ProgressCallback = lambda *_: None) -> Path:
    """Download the dataset's file unless it is here, and return its path.

    Raises:
        HarnessError: if the download fails, or the file is not an npz file.
    """

    def check(part: Path, _: str) -> None:
        if not zipfile.is_zipfile(part):
            raise RejectedError("the downloaded file is not an npz file")

    path = local_path(name)
    url = f"{_ogbench().utils.DATASET_URL}/{path.name}"
    return fetch(name, path, [url], check, progress, DIRECTORY_VARIABLE)


def load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a single-task dataset, and download it first if it is not on this machine.

    Every trajectory is truncated, and the observation after its last step is recorded; OGBench itself also
    trains on these steps, as `timeout_steps: keep` does.
    """
    check(settings)
    with download_bar(settings.name) as progress:
        path = download_ogbench(settings.name, progress)
    digest = checked_digest(path)

    def read() -> Recording:
        recording = record(settings.name, path)
        check_same(path, digest)
        return recording

    key: dict[str, JsonValue] = {"ogbench": digest, "name": settings.name}
    found = load_transitions(settings.name, key, read, data, next_actions)
    if settings.environment is not None:
        return replace(found, environment=EnvironmentSpec(settings.environment))
    own = EnvironmentSpec(known_environment(settings), wrappers=(SUCCESS,))
    return replace(found, environment=own, reference=SUCCESS_RATE)


def describe(settings: DatasetSettings) -> Description:
    """Describe a dataset; one that is not on this machine by its environment alone."""
    name, path = settings.name, local_path(settings.name)
    facts = {"environment": known_environment(settings), "scores": "success rate x 100"}
    if not path.exists():
        return Description(name, facts | {"file": f"not here (`harness data download {name}`)"})
    recording = record(name, path)
    facts |= {"file": file_fact(path), "steps": str(len(recording))} | recording_facts(recording)
    return Description(name, facts, recording.episode_returns(), len(recording))


def record(name: str, path: Path) -> Recording:
    """Read the steps of a file, with the rewards of the task.

    Raises:
        HarnessError: for a file that OGBench cannot read.
    """
    ogbench, environment = _ogbench(), make(OGBENCH + _environment_name(name))
    try:
        steps: dict[str, Any] = ogbench.utils.load_dataset(str(path), add_info=True)
        with seeded_globally(0):  # OGBench resets the environment to find the goal
            ogbench.relabel_utils.relabel_dataset(_environment_name(name), environment, steps)
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        reason = typed_line(error)
        raise HarnessError(f"{path}: cannot be read ({reason}); delete it to download it again") from None
    finally:
        environment.close()
    terminals, last = steps["masks"] == 0.0, steps["terminals"] == 1.0
    ends = EpisodeEnds(terminals, last & ~terminals, last, np.ones_like(last), ordered=True)
    return Recording(
        name, steps["observations"], steps["actions"], steps["rewards"], steps["next_observations"], ends
    )


def _match(name: str) -> re.Match[str]:
    match = NAME.fullmatch(name.removeprefix(OGBENCH))
    if match is None:
        raise HarnessError(
            f"{name} is not a single-task dataset of OGBench, which offline RL with rewards needs; use "
            "ogbench:ENVIRONMENT-DATA-singletask-v0 or ...-singletask-taskN-v0, such as "
            "ogbench:antmaze-large-navigate-singletask-task1-v0"
        )
    if match["task"].startswith(("visual", "powderworld")):
        raise HarnessError(f"{name}: its observations are images, which are not supported")
    return match


def _environment_name(name: str) -> str:
    match = _match(name)
    _ogbench()
    environment = f"{match['task']}-singletask{match['number'] or ''}-{match['version']}"
    if environment not in gymnasium.registry:
        known = [known for known in gymnasium.registry if "-singletask-" in known]
        raise HarnessError(f"{name}: OGBench has no environment {environment}{nearest(environment, known)}")
    return environment


def _ogbench() -> Any:
    with needs_extra("ogbench", "OGBench's datasets need the package ogbench"), warnings.catch_warnings():
        # The MuJoCo viewer warns on machines without a display.
        warnings.simplefilter("ignore")
        import ogbench
        import ogbench.relabel_utils
        import ogbench.utils
    return ogbench
