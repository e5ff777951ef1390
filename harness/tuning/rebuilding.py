"""Rebuilds missing policy files of finished trials from their checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from harness.errors import HarnessError
from harness.policies.files import loads
from harness.policies.names import FINAL
from harness.storage.run_directory import RunDirectory
from harness.storage.trial_record import TRIALS, TrialRecord
from harness.training import Pack
from harness.training.kept_policies import KeptPolicy
from harness.training.loading import load_dataset
from harness.trial import Trial
from harness.tuning.trial_session import load_state


def rebuild(results: RunDirectory, trials: Sequence[Trial]) -> Iterator[tuple[Trial, HarnessError | None]]:
    """Write the final policy of each trial that has no intact one; yield the trial, and why if that fails."""
    if not results.store.names(TRIALS):
        raise HarnessError(
            f"{results.store.target}: has no records of trials ({TRIALS}/), from whose checkpoints policies "
            "are rebuilt; use the directory of the run, not a copy of its results"
        )
    for trial in trials:
        record = results.record(trial)
        if _has_policy(record):
            continue
        try:
            data = _from_checkpoint(record, results.experiment.name)
        except HarnessError as error:
            yield trial, error
        else:
            results.store.write(record.name(FINAL), data)
            yield trial, None


def _has_policy(record: TrialRecord) -> bool:
    data = record.store.read(record.name(FINAL))
    if data is None:
        return False
    try:
        loads(data, FINAL)
    except HarnessError:
        return False
    return True


def _from_checkpoint(record: TrialRecord, experiment: str) -> bytes:
    """Return the policy file of a trial; raise a HarnessError without its last checkpoint or its dataset."""
    trial, result = record.trial, record.result()
    if result is None:
        raise HarnessError("is not finished")
    last = trial.training.gradient_steps
    checkpoint = next((found for found in record.checkpoints() if found.step == last), None)
    if checkpoint is None:
        raise HarnessError(f"its checkpoint at step {last:,} is missing; train it again to get its policy")
    dataset = load_dataset(trial)
    if dataset.digest != result["dataset_digest"]:
        raise HarnessError(
            f"dataset {trial.dataset.name} on this machine is not the one it was trained on "
            f"(SHA-256 {dataset.digest[:12]}..., not {result['dataset_digest'][:12]}...)"
        )
    with closing(Pack([trial], [dataset])) as pack:
        pack.load_state_dict(0, load_state(checkpoint))
        kept = KeptPolicy("final", pack.policy(), pack.records[0][-1])
        return kept.to_bytes(trial, dataset, pack.environments[0], experiment)
