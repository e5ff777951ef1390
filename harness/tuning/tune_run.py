"""Trains packs of trials with Ray Tune."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.search import Searcher
from typing_extensions import override

from harness.storage import provenance
from harness.storage.lease import Lease
from harness.storage.stores import absolute_target
from harness.storage.trial_record import TRIALS, checkpoint_steps
from harness.trial import Trial
from harness.tuning import ray_internals
from harness.tuning.capacity import Capacity, bundles
from harness.tuning.display import Display
from harness.tuning.machines import require_equal_machines
from harness.tuning.messages import Assignment
from harness.tuning.monitor import Monitor
from harness.tuning.packing import TrialPack, concurrency, make_packs
from harness.tuning.plan import Plan
from harness.tuning.scheduling import waiting_work
from harness.tuning.signals import Signals
from harness.tuning.worker import PackConfig, Worker

MAX_WORKER_RESTARTS = 10
"""How often Tune restarts a pack whose worker or node died."""


def train(plan: Plan, lease: Lease, scratch: Path, signals: Signals, display: Display) -> None:
    """Train the missing trials in packs on the connected Ray cluster, with a folder for the files of Tune.

    Raises:
        InterruptedRunError: on a signal, after the trials have saved their state.
        HarnessError: if the run cannot continue.
    """
    results, missing = plan.results, plan.missing
    capacity = Capacity.of_cluster()
    variants = dict.fromkeys(trial.algorithm for trial in missing)
    requests = capacity.requests(results.experiment.resources, variants)
    if plan.options.address:
        require_equal_machines(results.store.target)
    if capacity.gpus and not any(request.gpus for request in requests.values()):
        display.say(f"note: idle GPUs: {capacity.gpus:g}; to use them: --set resources.gpus=1")
    display.begin(concurrency(missing, requests, capacity).trials)
    monitor = Monitor(plan, lease, display, signals)

    def configs(trials: Sequence[Trial], until: Mapping[str, int]) -> list[PackConfig]:
        kept = checkpoint_steps(results.store.names(TRIALS))
        packs = make_packs(trials, requests, capacity, kept, until)
        return [_config(plan, lease, pack) for pack in packs]

    work = waiting_work(results, plan.progress, missing, configs, monitor.say)
    try:
        _fit(monitor, monitor.guard(work), scratch)
    finally:
        monitor.close()


def _fit(monitor: Monitor, configs: Iterator[PackConfig | None], scratch: Path) -> None:
    """Run the packs that the configurations describe with Tune."""
    ray_internals.skip_callback_statistics()
    tuner = tune.Tuner(
        tune.with_resources(
            Worker,
            lambda config: tune.PlacementGroupFactory(config["bundles"], strategy="STRICT_PACK"),
        ),
        tune_config=tune.TuneConfig(
            search_alg=_WaitingPacks(configs),
            num_samples=-1,  # until there are no more
            reuse_actors=True,
            trial_name_creator=lambda trial: str(trial.config["keys"][0]),
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(scratch),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=MAX_WORKER_RESTARTS),
            callbacks=[monitor],
            verbose=0,
        ),
    )
    tuner.fit()


class _WaitingPacks(Searcher):
    """Gives the waiting packs to Tune one by one, as a search algorithm; None while the next is undecided.

    Tune would copy a grid of all packs for each of them, which takes a minute for a thousand trials.
    """

    def __init__(self, configs: Iterator[PackConfig | None]) -> None:
        super().__init__()
        self._configs = configs

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune saves its search algorithm, but it is never restored

    @override
    def suggest(self, trial_id: str) -> PackConfig | str | None:  # type: ignore[override]
        return next(self._configs, Searcher.FINISHED)

    @override
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        pass


def _config(plan: Plan, lease: Lease, pack: TrialPack) -> PackConfig:
    experiment, options, request = plan.results.experiment, plan.options, pack.request
    assigned = Assignment(
        trials=pack.trials,
        store=absolute_target(plan.results.store),
        experiment=experiment.name,
        driver=lease.number,
        versions=provenance.versions(),
        device="cuda" if request.gpus else "cpu",
        evaluators=request.evaluators,
        checkpoint_seconds=experiment.resources.checkpoint_seconds,
        interval_seconds=request.interval_seconds,
        until=pack.until,
        pack=options.pack,
    )
    return {
        "keys": [trial.key for trial in pack.trials],
        "bundles": bundles(request),
        "paths": options.worker_paths,
        "assignment": assigned.model_dump_json(),
    }
