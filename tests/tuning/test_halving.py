"""Tests of successive halving with driver and attempts in this process and fake trainers, killed anywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness.experiment import Experiment
from harness.reporting import reading
from harness.reporting.samples import show_chosen
from harness.storage.lease import Lease
from harness.storage.progress import Progress, scan
from harness.storage.provenance import versions
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.trial import Trial
from harness.tuning import driver, preflight
from harness.tuning.attempt import Attempt
from harness.tuning.launch import Options
from harness.tuning.messages import Assignment, Ended
from harness.tuning.plan import Plan
from harness.tuning.scheduling import waiting_work
from tests.faults import fake
from tests.faults.sweep import Sweep, kill, wait_until
from tests.storage.make import experiment

FAKE = "tests.faults.fake:FakePack"
SEARCH: dict[str, Any] = {
    "algorithms": ["bc", "td3_bc"],
    "sweep": {"algorithms.td3_bc.alpha": {"log_uniform": [0.1, 10]}},
    "samples": 5,
    "halving": {"rungs": [200, 400], "eta": 2},
    "datasets": ["pendulum-expert-v0", "pendulum-medium-v0"],
    "seeds": 1,
    "training": {"gradient_steps": 600},
    "evaluation": {"interval": 100, "episodes": 3},
}
pytestmark = pytest.mark.usefixtures("fast_fakes")


class KilledError(Exception):
    pass


def trains(limit: int | None, said: list[str], order: list[tuple[str, int | None]]) -> driver.Train:
    """Train trials one by one in this process, and raise a KilledError after `limit` reports."""

    def train(plan: Plan, lease: Lease) -> None:
        results, progress, missing = plan.results, plan.progress, plan.missing
        left = [limit]

        def work(trials: Sequence[Trial], until: Mapping[str, int]) -> list[Assignment]:
            return [
                Assignment(
                    trials=(trial,),
                    store=results.store.target,
                    driver=lease.number,
                    versions=versions(),
                    checkpoint_seconds=0,
                    until=until.get(trial.key),
                    pack=FAKE,
                )
                for trial in trials
            ]

        for assigned in waiting_work(results, progress, missing, work, said.append):
            assert assigned is not None  # no trial is running while the next is requested
            order.append((assigned.trials[0].algorithm, assigned.until))
            attempt = Attempt(assigned, should_stop=lambda: False)
            while True:
                report = attempt.advance()
                if left[0] is not None:
                    left[0] -= 1
                    if left[0] < 0:
                        raise KilledError
                for event in report["events"]:
                    if isinstance(event, Ended):
                        progress.by_key[event.key].state = event.state
                if report["done"]:
                    break
            attempt.close()

    return train


class Run:
    """A results directory with its search."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.target = str(folder)
        self.experiment: Experiment = experiment(**(SEARCH | changes))
        self.said: list[str] = []
        self.order: list[tuple[str, int | None]] = []

    def __call__(self, limit: int | None = None, only: Sequence[str] = ()) -> Progress:
        results = RunDirectory.prepare(open_store(self.target), self.experiment, only)
        train = trains(limit, self.said, self.order)
        plan = preflight.plan(results, Options(pack=FAKE))
        driver.run(plan, self.said.append, train)
        return plan.progress

    def tables(self) -> tuple[bytes, str, Any]:
        return self.tables_in(self.target)

    @staticmethod
    def tables_in(target: str) -> tuple[bytes, str, Any]:
        manifest = json.loads((Path(target) / "manifest.json").read_text())
        files = [Path(target) / name for name in ("evaluations.parquet", "scores.csv")]
        return files[0].read_bytes(), files[1].read_text(), manifest["stopped"]

    def states(self) -> dict[str, int]:
        progress = scan(RunDirectory.load(open_store(self.target)))
        return {state: progress.count(state) for state in ("done", "stopped", "paused", "waiting", "failed")}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    return lambda name="run", **changes: Run(tmp_path / name, **changes)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a search that was never interrupted; tests only read its results."""
    search = Run(tmp_path_factory.mktemp("undisturbed"))
    with mock.patch.object(fake, "STEP_SECONDS", 0.0):
        assert not search().unfinished()
    return search


def test_halving_finishes_the_best_and_stops_the_others(undisturbed: Run) -> None:
    search = undisturbed
    assert search.states() == {"done": 2 + 2 * 2, "stopped": 3 * 2, "paused": 0, "waiting": 0, "failed": 0}
    rungs = [line for line in search.said if line.startswith("search ")]
    assert [line.partition(":")[0] for line in rungs] == [
        "search td3_bc, step 200",
        "search td3_bc, step 400",
    ]
    assert "3 of 5 samples continue; best: s0" in rungs[0]
    assert "2 of 5 samples continue" in rungs[1]
    assert [until for _, until in search.order] == [None] * 2 + [200] * 10 + [400] * 6 + [None] * 4
    assert {algorithm for algorithm, _ in search.order[:2]} == {"bc"}


def test_halving_continues_the_samples_with_the_best_means(undisturbed: Run) -> None:
    frame = reading.load(undisturbed.target).frame
    at_rung = frame[(frame["step"] == 200) & (frame["algorithm"] != "bc")]
    means = at_rung.groupby(at_rung["algorithm"].astype(str))["normalized_score"].mean()
    assert len(means) == 5
    stopped = undisturbed.tables()[2]
    gone = {key.partition("--")[0] for key, step in stopped.items() if step == 200}
    assert set(means.nsmallest(2).index) == gone


@pytest.mark.parametrize("limit", [13, 31, 32, 33, 44, 51])
def test_halving_killed_anywhere_ends_with_the_same_tables(
    run: Callable[..., Run], undisturbed: Run, limit: int
) -> None:
    killed = run("killed")
    with pytest.raises(KilledError):
        killed(limit)
    killed()
    assert killed.tables() == undisturbed.tables()


def test_halving_resumed_after_the_end_starts_nothing(run: Callable[..., Run], undisturbed: Run) -> None:
    search = run()
    shutil.copytree(undisturbed.target, search.target)
    search()
    assert search.tables() == undisturbed.tables()
    assert search.order == []


def test_halving_does_not_count_stopped_trials_as_finished(undisturbed: Run) -> None:
    search = undisturbed
    assert len(search.tables()[1].splitlines()) == 1 + 6
    results = reading.load(search.target)
    assert len(results.finished) == 6
    assert results.missing == []
    (choice,) = show_chosen(results, "best", "final").choices.values()
    assert "of the 2 of 5 samples that finished" in choice


def test_run_without_halving_continues_the_stopped_samples(run: Callable[..., Run]) -> None:
    changes = {"samples": 2, "datasets": ["pendulum-expert-v0"]}
    search, whole = run(**changes), run("whole", halving=None, **changes)
    search()
    search.experiment = whole.experiment
    search()
    whole()
    assert search.tables() == whole.tables()
    assert search.tables()[2] == {}


def test_halving_with_a_failed_trial_decides_after_it_is_resumed(
    run: Callable[..., Run], undisturbed: Run, tmp_path: Path
) -> None:
    search = run()
    fault = tmp_path / "faults" / "td3_bc@s02--pendulum-expert-v0--0"
    fault.write_text("raise 100")
    assert search().unfinished()
    assert search.said[-1] == (
        "search td3_bc, step 200: cannot compare its samples yet, because 1 trial failed before it"
    )
    assert search.states()["paused"] == 9
    fault.unlink()
    search()
    assert search.tables() == undisturbed.tables()


def test_halving_with_a_diverged_trial_ranks_its_sample_last(run: Callable[..., Run], tmp_path: Path) -> None:
    search = run()
    (tmp_path / "faults" / "td3_bc@s02--pendulum-expert-v0--0").write_text("nan 100")
    assert not search().unfinished()
    assert search.tables()[2]["td3_bc@s02--pendulum-medium-v0--0"] == 200


def test_halving_of_selected_trials_waits_for_the_others_of_their_samples(
    run: Callable[..., Run], undisturbed: Run
) -> None:
    search = run()
    search(only=["algorithm=td3_bc", "dataset=pendulum-expert-v0"])
    assert search.states()["stopped"] == 3
    search()
    stopped = search.tables()[2]
    assert stopped.items() <= undisturbed.tables()[2].items()


@pytest.mark.slow
def test_halving_through_ray_with_a_killed_worker_ends_the_same(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "algorithms": ["td3_bc"],
        "sweep": {"algorithms.td3_bc.alpha": {"log_uniform": [0.1, 10]}},
        "samples": 4,
        "halving": {"rungs": [200], "eta": 2},
        "datasets": ["pendulum-expert-v0"],
        "training": {"gradient_steps": 600},
        "evaluation": {"interval": 100, "episodes": 3},
    }
    sweep = Sweep(tmp_path / "ray", environment={"HARNESS_TEST_STEP_SECONDS": "0.005"}, **settings)
    process = sweep.start()
    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), process)
    kill(sweep.wait_for_workers(process)[0])
    output = sweep.finish(process)
    assert "2 stopped" in sweep.finish(sweep.start("status", sweep.target))
    assert "TD3+BC: best of 4" in output
    undisturbed = Run(tmp_path / "undisturbed", **settings, seeds=1, name="faults")
    undisturbed()
    assert Run.tables_in(sweep.target) == Run.tables_in(undisturbed.target)
