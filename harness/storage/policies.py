"""Finding and loading the policies of a results directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.algorithms import registry
from harness.errors import HarnessError
from harness.policies.files import SavedPolicy, loads
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import Store, open_store
from harness.storage.trial_record import POLICY, TRIALS
from harness.trial import Trial
from harness.validation import nearest


@dataclass(frozen=True)
class StoredPolicy:
    """A policy file of a trial."""

    store: Store
    trial: Trial
    name: str
    """`policy.npz`, `policy-best.npz` or `policy-STEP.npz`."""

    @property
    def path(self) -> str:
        """Where it is, for messages."""
        return f"{self.store.target}/{TRIALS}/{self.trial.key}/{self.name}"

    def load(self) -> SavedPolicy:
        """Load it.

        Raises:
            HarnessError: when the file is gone or damaged.
        """
        data = self.store.read(f"{TRIALS}/{self.trial.key}/{self.name}")
        if data is None:
            raise HarnessError(f"{self.path}: no such file")
        return loads(data, self.path)


def stored_policies(directory: Path | str) -> list[StoredPolicy]:
    """Return the policy files of a results directory, in the order of the experiment's trials.

    Raises:
        HarnessError: when the directory holds no experiment.
    """
    store = open_store(str(directory))
    with registry.without_importing():
        trials = RunDirectory.load(store).requested_trials()
    names: dict[str, list[str]] = {}
    for path in sorted(store.names(TRIALS)):
        folder, _, name = path.removeprefix(f"{TRIALS}/").rpartition("/")
        if POLICY.fullmatch(name):
            names.setdefault(folder, []).append(name)
    return [StoredPolicy(store, trial, name) for trial in trials for name in names.get(trial.key, [])]


def load_policy(
    source: Path | str,
    variant: str | None = None,
    dataset: str | None = None,
    seed: int | None = None,
    file: str = "policy.npz",
) -> SavedPolicy:
    """Load a trained policy from a policy file, or from the trial of a results directory.

    Args:
        source: a policy file, or a results directory or its URL.
        variant: the variant of the trial; not needed where the results have one only. So are the next two.
        dataset: the dataset of the trial.
        seed: the seed of the trial.
        file: which of the trial's policies; `policy-best.npz` where `training.save_policy` was `best`.

    Raises:
        HarnessError: when there is no such trial or policy (with the nearest names), when several fit, and
            for a file that is damaged or not a policy.
    """
    source = str(source)
    if "://" not in source and Path(source).is_file():
        return loads(Path(source).read_bytes(), source)
    if "://" not in source and not Path(source).exists():
        raise HarnessError(f"{source}: no such policy file or results directory")
    policies = stored_policies(source)
    if not policies:
        raise HarnessError(
            f"{source}: holds no policies; they are saved when trials finish (training.save_policy), and "
            f"harness policy rebuild {source} makes them from checkpoints"
        )
    wanted: tuple[tuple[str, object, Callable[[StoredPolicy], object]], ...] = (
        ("variant", variant, lambda stored: stored.trial.algorithm),
        ("dataset", dataset, lambda stored: stored.trial.dataset.name),
        ("seed", seed, lambda stored: stored.trial.seed),
        ("file", file, lambda stored: stored.name),
    )
    for what, value, of in wanted:
        known = list(dict.fromkeys(str(of(stored)) for stored in policies))
        if value is None and len(known) > 1:
            raise HarnessError(f"{source}: name the {what} of the policy: {_listed(known)}")
        if value is not None and str(value) not in known:
            raise HarnessError(f"{source}: no policy of {what} {value}{nearest(str(value), known)}")
        policies = [stored for stored in policies if value is None or str(of(stored)) == str(value)]
    return policies[0].load()


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
