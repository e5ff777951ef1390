from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError
from harness.tuning.shipping import WorkerPaths
from harness.tuning.worker import Worker
from tests.tuning.test_attempt import assignment


def test_worker_without_the_algorithm_of_its_trials_names_it_in_one_line(target: str) -> None:
    described = assignment(target).model_dump_json().replace('"td3_bc"', '"no_such_module:Mine"')
    worker: Any = object.__new__(Worker)
    with pytest.raises(HarnessError) as error:
        worker.setup({"paths": WorkerPaths(), "assignment": described})
    assert "cannot import no_such_module" in str(error.value)
    assert "\n" not in str(error.value)
