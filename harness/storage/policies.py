"""Finds and loads the policies of a results directory."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import trial_selection
from harness.algorithms import registry
from harness.errors import HarnessError, warn
from harness.policies.files import SavedPolicy, loads
from harness.policies.names import FINAL, Chosen, chosen_of
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import Store, open_store
from harness.storage.trial_record import TRIALS
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
        """Return the path of the file, for messages."""
        return f"{self.store.target}/{TRIALS}/{self.trial.key}/{self.name}"

    def read(self) -> bytes:
        """Return the content of the file; raise a HarnessError if it does not exist."""
        data = self.store.read(f"{TRIALS}/{self.trial.key}/{self.name}")
        if data is None:
            raise HarnessError(f"{self.path}: no such file")
        return data

    def load(self) -> SavedPolicy:
        """Load the policy; raise a HarnessError if it is missing, damaged or that of another trial."""
        policy = loads(self.read(), self.path)
        info, trial = policy.info, self.trial
        if (info.variant, info.dataset, info.seed) != (trial.algorithm, trial.dataset.name, trial.seed):
            raise HarnessError(
                f"{self.path}: expected the policy of this trial, got that of {info.variant} on "
                f"{info.dataset}, seed {info.seed}; remove the file"
            )
        return policy


def stored_policies(directory: Path | str, only: Sequence[str] = ()) -> list[StoredPolicy]:
    """Return the policy files of the selected trials of a results directory, in the experiment's order.

    Raises:
        HarnessError: if the directory contains no experiment, or no trial meets the conditions `only`.
    """
    return [stored for policies in _stored(directory, only).values() for stored in policies]


def select_policies(
    source: Path | str, only: Sequence[str] = (), chosen: Chosen | None = None
) -> list[SavedPolicy]:
    """Load the policy of a file, or those of the trials of a results directory.

    A warning counts the trials without such a policy.

    Args:
        source: a policy file, or a results directory or its URL.
        only: conditions that select trials, as for `trial_selection.select`.
        chosen: which policies of each trial; by default the final one, or the best if there is no final one.

    Raises:
        HarnessError: if there is no such trial or policy, or a file is damaged.
    """
    if _is_policy_file(source):
        if only:
            raise HarnessError(f"{source}: --only requires a results directory, but this is a policy file")
        return [load_policy(source)]
    found = _stored(source, only)
    selected = {key: _select(policies, chosen) for key, policies in found.items()}
    missing = [key for key, policies in selected.items() if not policies]
    if len(missing) == len(selected):
        names = sorted({stored.name for policies in found.values() for stored in policies})
        if names and chosen is not None:
            raise HarnessError(f"{source}: no `{chosen}` policies; it has {', '.join(names[:5])}")
        raise _no_policies(source)
    if missing:
        warn(
            f"{len(missing)} of {len(selected)} trials have no such policy ({missing[0]}"
            f"{', ...' if len(missing) > 1 else ''}); to create missing ones, try: harness policy rebuild "
            f"{shlex.quote(str(source))}"
        )
    return [stored.load() for policies in selected.values() for stored in policies]


def load_policy(
    source: Path | str,
    variant: str | None = None,
    dataset: str | None = None,
    seed: int | None = None,
    file: str = FINAL,
) -> SavedPolicy:
    """Load a trained policy from a policy file, or from the trial of a results directory.

    Args:
        source: a policy file, or a results directory or its URL.
        variant: the variant of the trial; may be omitted if the results have only one.
        dataset: the dataset of the trial; may be omitted likewise.
        seed: the seed of the trial; may be omitted likewise.
        file: the file name of the policy; `policy-best.npz` if `training.save_policy` was `best`.

    Raises:
        HarnessError: if there is no such trial or policy (with similar names), several match, or the file is
            damaged or not a policy file.
    """
    if _is_policy_file(source):
        return loads(Path(source).read_bytes(), str(source))
    policies = stored_policies(source)
    if not policies:
        raise _no_policies(source)
    wanted: tuple[tuple[str, object, Callable[[StoredPolicy], object]], ...] = (
        ("variant", variant, lambda stored: stored.trial.algorithm),
        ("dataset", dataset, lambda stored: stored.trial.dataset.name),
        ("seed", seed, lambda stored: stored.trial.seed),
        ("file", file, lambda stored: stored.name),
    )
    for what, value, attribute in wanted:
        known = list(dict.fromkeys(str(attribute(stored)) for stored in policies))
        if value is None and len(known) > 1:
            raise HarnessError(f"{source}: several policies match; choose a {what}: {', '.join(known)}")
        if value is not None and str(value) not in known:
            raise HarnessError(f"{source}: no policy with {what} {value}{nearest(str(value), known)}")
        policies = [stored for stored in policies if value is None or str(attribute(stored)) == str(value)]
    return policies[0].load()


def _is_policy_file(source: Path | str) -> bool:
    """Return whether the source is a file; raise a HarnessError for a path that does not exist."""
    if "://" in str(source):
        return False
    if not Path(source).exists():
        raise HarnessError(f"{source}: no such policy file or results directory")
    return Path(source).is_file()


def _stored(directory: Path | str, only: Sequence[str]) -> dict[str, list[StoredPolicy]]:
    """Return the policy files of the selected trials by trial key, in the experiment's order."""
    store = open_store(str(directory))
    with registry.without_importing():
        selected = trial_selection.select(RunDirectory.load(store).requested_trials(), only)
    trials = {trial.key: trial for trial in selected}
    found: dict[str, list[StoredPolicy]] = {key: [] for key in trials}
    for path in store.names(TRIALS):
        key, _, name = path.removeprefix(f"{TRIALS}/").rpartition("/")
        if key in found and chosen_of(name):
            found[key].append(StoredPolicy(store, trials[key], name))
    return found


def _select(policies: Sequence[StoredPolicy], chosen: Chosen | None) -> list[StoredPolicy]:
    """Return the requested policies of one trial."""
    kinds: tuple[Chosen, ...] = ("final", "best") if chosen is None else (chosen,)
    for kind in kinds:
        found = [stored for stored in policies if chosen_of(stored.name) == kind]
        if found:
            return found
    return []


def _no_policies(source: Path | str) -> HarnessError:
    return HarnessError(
        f"{source}: no policies found; trials save them when they finish (training.save_policy), and "
        f"harness policy rebuild {shlex.quote(str(source))} creates them from checkpoints"
    )
