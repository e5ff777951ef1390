from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.tuning.runtime_env import WorkerPaths
from harness.tuning.worker import Worker, _session_folder
from tests.tuning.test_attempt import assignment


def test_worker_without_the_algorithm_of_its_trials_names_it_in_one_line(target: str) -> None:
    described = assignment(target).model_dump_json().replace('"td3_bc"', '"no_such_module:Mine"')
    worker: Any = object.__new__(Worker)
    with pytest.raises(HarnessError) as error:
        worker.setup({"paths": WorkerPaths(), "assignment": described})
    assert "cannot import no_such_module" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("exists", [True, False])
def test_temporary_files_of_a_worker_are_in_the_folder_of_the_ray_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    folder = tmp_path / "session_1"
    if exists:
        folder.mkdir()
    context = SimpleNamespace(get_temp_dir=lambda: str(tmp_path), get_session_name=lambda: "session_1")
    monkeypatch.setattr("ray.get_runtime_context", lambda: context)
    assert _session_folder() == (str(folder) if exists else None)
