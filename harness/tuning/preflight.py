"""Checks a run before it starts, as a dry run does, and downloads its datasets."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import datasets, user_modules
from harness.datasets import registry
from harness.datasets.dataset import OfflineDataset
from harness.datasets.download import download
from harness.datasets.progress import download_bar
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.environments.spec import as_spec
from harness.errors import HarnessError, HarnessWarning, warn
from harness.storage import lease
from harness.storage.progress import scan
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import DirectoryStore, Store
from harness.training.environment import Spaces, check_environment, environment_of
from harness.training.loading import load_dataset, needs_next_actions
from harness.training.normalization import require_size
from harness.trial import Trial
from harness.tuning import packing, trackers
from harness.tuning.capacity import Capacity
from harness.tuning.launch import PACK, Options
from harness.tuning.plan import Plan, Sizes, datasets_of
from harness.tuning.ray_session import require_ray_directories_writable
from harness.tuning.rehearsal import rehearse
from harness.tuning.settings import ResourceSettings


class Checked(NamedTuple):
    """What the checks found out about each dataset."""

    digests: dict[str, str]
    """SHA-256 of the transitions of each data file that is on this machine."""
    sizes: dict[str, Sizes]
    """The sizes, as far as they are known without a download."""
    environment_sources: dict[str, str]
    """SHA-256 of the source of each environment of the user's that is on this machine."""


def plan(results: RunDirectory, options: Options, dry: bool = False) -> Plan:
    """Plan a run after all quick checks, which read no data and neither download nor write anything.

    If the plan is `dry`, nothing will run, so trackers and the directories of Ray need not be checked.

    Raises:
        HarnessError: if files cannot be written, another driver is running, a dataset or its environment does
            not exist, a tracker cannot log, or a trial does not fit on this machine (without a cluster).
    """
    trackers.check(options, dry=dry)
    trials = results.selected_trials()
    check_output(results.store)
    for dataset in datasets_of(trials):
        if options.local or dataset.path is None or _is_local(dataset):  # a cluster may have other files
            datasets.check(dataset)
    if options.local:
        variants = dict.fromkeys(trial.algorithm for trial in trials)
        resources = results.experiment.resources
        here = Capacity.of_this_machine(any(resources.of(variant).gpus for variant in variants))
        requests = here.requests(resources, variants)
        if not dry:
            require_ray_directories_writable()
    progress = scan(results, planning=True)
    failed = progress.failed()
    for trial in failed:
        trial.state, trial.reason = "waiting", None
    unfinished = {trial.key for trial in progress.unfinished()}
    missing = [trial for trial in trials if trial.key in unfinished]
    return Plan(
        results=results,
        options=options,
        trials=trials,
        progress=progress,
        missing=missing,
        failed=len(failed),
        concurrency=packing.concurrency(missing, requests, here) if options.local else None,
    )


def check(plan: Plan) -> Checked:
    """Check that the trials of a plan can be trained and evaluated, reading the data on this machine."""
    digests = digests_of_files(plan.results)
    sizes = {}
    if plan.options.pack == PACK:
        sizes = check_trials(plan.missing, plan.options, plan.results.experiment.resources)
    return Checked(digests, sizes, environment_sources(plan))


def check_output(store: Store) -> None:
    """Raise a HarnessError if files cannot be written to the results, or another driver is running there."""
    if isinstance(store, DirectoryStore):
        there = next(path for path in (store.root, *store.root.parents) if path.exists())
        if not there.is_dir():
            raise HarnessError(f"{store.target}: cannot write results ({there} is not a directory)")
        if not os.access(there, os.W_OK | os.X_OK):
            raise HarnessError(f"{store.target}: cannot write results ({there} is not writable)")
    _, holder = lease.latest(store)
    if holder is not None and lease.alive_here(holder):
        raise lease.held_error(holder, store)


def check_trials(trials: Sequence[Trial], options: Options, resources: ResourceSettings) -> dict[str, Sizes]:
    """Check that the trials can be trained and evaluated.

    Reads each dataset that is on this machine. Unless workers have other packages, also creates, resets and
    steps each environment, and trains algorithms that are not built in for a few steps. Returns the sizes of
    observations and actions by dataset, as far as known.

    Raises:
        HarnessError: if a dataset cannot be read or does not fit its environment or a list of scales, an
            environment cannot be created or violates gymnasium's protocol, or an algorithm violates the
            contract of a learner.
    """
    by_data: dict[tuple[str, DataSettings, bool], list[Trial]] = {}
    for trial in trials:
        key = trial.dataset.name, trial.data, needs_next_actions(trial)
        by_data.setdefault(key, []).append(trial)
    sizes: dict[str, Sizes] = {}
    for sharing in by_data.values():
        trial = sharing[0]
        dataset = load_dataset(trial) if _is_local(trial.dataset) else None
        if options.same_packages and trial.dataset.name not in sizes:
            spaces = _check_environment(trial, dataset)
            if spaces is not None:
                sizes[trial.dataset.name] = Sizes(spaces.observation_size, len(spaces.action_range.low))
        if dataset is not None:
            _check_scales(sharing, dataset)
    if options.same_packages:
        rehearse(trials, sizes)
    if options.local:
        warn_of_slow_precision(trials, resources)
    return sizes


def digests_of_files(results: RunDirectory) -> dict[str, str]:
    """Return the SHA-256 of the transitions of each data file that is on this machine, by dataset.

    Raises:
        HarnessError: if a file cannot be read, or earlier runs of the experiment used other data.
    """
    known, found = results.manifest.get("datasets", {}), {}
    for dataset in datasets_of(results.selected_trials()):
        if dataset.path is None or not _is_local(dataset):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HarnessWarning)  # the checks of trials give the same warnings
            digest = datasets.load(dataset, results.experiment.data).digest
        used = known.get(dataset.name, {}).get("digest", digest)
        if digest != used:
            raise HarnessError(
                f"dataset {dataset.name}: the transitions of {dataset.path} (SHA-256 {digest[:12]}…) differ "
                f"from those used by earlier runs in {results.store.target} ({used[:12]}…); "
                "give the same data with --set datasets.N.path=FILE, or another directory with run --output"
            )
        found[dataset.name] = digest
    return found


def environment_sources(plan: Plan) -> dict[str, str]:
    """Return the SHA-256 of the source of each environment of the user's, by dataset.

    Warns of one that was edited since policies were evaluated in it; of that, the first source is returned.
    """
    used, found = plan.results.manifest.get("datasets", {}), {}
    begun = {trial.dataset for trial in plan.progress.trials if trial.step or trial.state == "done"}
    for dataset in plan.datasets if plan.options.same_packages else ():
        module = (dataset.environment or "").rpartition(":")[0]
        try:
            source = user_modules.source_of_module(user_modules.load(module).__name__) if module else None
        except HarnessError:  # raised for trials that are to be evaluated there
            continue
        if source is None:
            continue
        first = used.get(dataset.name, {}).get("environment_source") if dataset.name in begun else None
        if first not in (None, source):
            warn(
                f"dataset {dataset.name}: {module}, the module of its environment, or a file that it "
                f"imports was edited since {plan.results.store.target} evaluated policies there; existing "
                "evaluations are kept (choose another --output to evaluate all with the same code)"
            )
        found[dataset.name] = first or source
    return found


def warn_of_slow_precision(trials: Iterable[Trial], resources: ResourceSettings) -> None:
    """Warn if trials use bf16 on a processor that has to emulate it."""
    variants = {trial.algorithm for trial in trials if trial.hyperparameters.precision == "bf16"}
    on_cpu = sorted(variant for variant in variants if not resources.of(variant).gpus)
    if on_cpu and not _has_bf16_products():
        warn(
            f"precision bf16 of {', '.join(on_cpu)}: this processor emulates bf16 (x86 needs AVX-512), which "
            "is many times slower than fp32; measure it with: harness bench --precision bf16"
        )


def _has_bf16_products() -> bool:
    import torch

    has_mkldnn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_mkldnn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _check_environment(trial: Trial, dataset: OfflineDataset | None) -> Spaces | None:
    """Check the environment of a trial; return None if it is known only after a download."""
    if dataset is not None:
        spec = environment_of(trial, dataset)
    elif (name := datasets.known_environment(trial.dataset)) is not None:
        spec = as_spec(name).selecting(trial.data.observation_keys)
    else:
        return None
    spaces = check_environment(spec, dataset)
    if not spaces.action_range.is_symmetric:
        warn(f"environment {spec}: actions in {spaces.action_range} are rescaled to [-1, 1] for training")
    return spaces


def _check_scales(trials: Sequence[Trial], dataset: OfflineDataset) -> None:
    for column, trial in {trial.algorithm: trial for trial in trials}.items():
        try:
            require_size(trial.hyperparameters.state_normalization, dataset.observation_size)
        except HarnessError as error:
            raise HarnessError(f"algorithm {column} on {dataset.name}: {error}") from None


def prefetch(wanted: Iterable[DatasetSettings], fetch: Callable[..., object] = download) -> None:
    """Download the registered datasets that are not on this machine yet; workers fetch all others."""
    registered = [settings for settings in wanted if settings.path is None]
    names = sorted({name for settings in registered for name in (settings.mixture or [settings.name])})
    for name in names:
        if name in registry.registered() and datasets.download_size(name) != 0:
            with download_bar(f"download {name}") as progress:
                fetch(registry.find(name), progress=progress)


def _is_local(dataset: DatasetSettings) -> bool:
    if dataset.path is not None:
        return Path(dataset.path).expanduser().exists()
    return datasets.download_size(dataset) == 0
