"""Estimates the values of a pack of policies in a worker, for selection without the environment. No Ray."""

from __future__ import annotations

import time
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from harness import datasets
from harness.datasets.dataset import OfflineDataset
from harness.datasets.settings import DataSettings
from harness.errors import HarnessError
from harness.policies.files import SavedPolicy
from harness.policies.names import FINAL
from harness.storage import estimates
from harness.storage.policies import StoredPolicy
from harness.storage.stores import Store, open_store, with_retries
from harness.storage.trial_record import TrialRecord
from harness.training.settings import SelectionSettings
from harness.trial import Trial
from harness.tuning.machines import check_versions


class Estimation(BaseModel):
    """Describes policies of one dataset to evaluate side by side; sent to the worker as JSON."""

    model_config = ConfigDict(frozen=True)

    trials: tuple[Trial, ...] = Field(min_length=1)
    """Finished trials on the same dataset."""
    store: str
    data: DataSettings
    """The experiment's data settings: values are sums of its rewards, even if a variant rescales them."""
    settings: SelectionSettings
    versions: dict[str, str]
    device: str = "cpu"


def estimate(work: Estimation) -> None:
    """Evaluate the final policies of trials from data alone, and commit the estimates."""
    from harness.training import fitted_q

    check_versions(work.versions)
    store = open_store(work.store)
    started = time.perf_counter()
    dataset = datasets.load(work.trials[0].dataset, work.data)
    policies = [_load_policy(store, trial, dataset, work.data) for trial in work.trials]
    found = fitted_q.evaluate(policies, dataset, work.settings, work.device)
    seconds = (time.perf_counter() - started) / len(policies)
    for trial, fitted in zip(work.trials, found, strict=True):
        record = TrialRecord(store, trial)
        content: estimates.Estimate = {
            "trial": record.digest,
            "value": fitted.value,
            "td_error": fitted.td_error,
            "seconds": seconds,
        }
        with_retries(partial(estimates.commit, record, work.settings, content))


def _load_policy(store: Store, trial: Trial, dataset: OfflineDataset, data: DataSettings) -> SavedPolicy:
    policy = StoredPolicy(store, trial, FINAL).load()
    if trial.data == data and policy.info.dataset_digest != dataset.digest:
        raise HarnessError(
            f"{policy.source}: was trained on different transitions than {dataset.name} has here"
        )
    return policy
