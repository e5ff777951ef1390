import pytest

from harness import datasets
from harness.datasets.settings import DatasetSettings
from harness.tuning.prefetch import prefetch


def test_prefetch_skips_datasets_with_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded: list[str] = []
    monkeypatch.setattr(datasets, "download_size", lambda _: 1)
    prefetch(
        [
            DatasetSettings(name="walker2d-medium-v2", path="mine.hdf5"),
            DatasetSettings(name="mixed", mixture={"hopper-medium-v2": 0.5, "hopper-expert-v2": 0.5}),
            DatasetSettings(name="pendulum-mine"),
        ],
        lambda dataset, **_: downloaded.append(dataset.name),
    )
    assert downloaded == ["hopper-expert-v2", "hopper-medium-v2"]
