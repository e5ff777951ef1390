"""What `run`, `resume` and `status` say to bad input: one line, status 2, before any work."""

from __future__ import annotations

import functools
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from harness import cli
from harness.storage.progress import Progress
from harness.storage.stores import open_store
from harness.tuning.plan import Plan
from tests.storage.make import experiment, finish, prepared, result


@pytest.fixture(autouse=True)
def _in_an_empty_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(experiment().model_dump(mode="json")))
    return str(path)


PLAN = r"small: \d+ variants? x |\d+ trials? of |[\d,]+ steps left|Connecting to "
"""Lines that a run prints before it reads data and starts Ray."""


def rejected(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr()
    assert [line for line in shown.out.splitlines() if not re.match(PLAN, line)] == []
    lines = shown.err.splitlines()
    assert len(lines) == 1, shown.err
    return lines[0].removeprefix("harness: error: ")


def test_run_of_a_missing_file_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    assert rejected(capsys, "run", "nowhere.yaml") == "nowhere.yaml: No such file or directory"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("training.gradient_stebs=1", "there is no training.gradient_stebs; did you mean gradient_steps?"),
        ("training.gradient_steps=0", "training.gradient_steps: "),
        (
            "datasets=[pendulum-expart-v0]",
            "unknown dataset 'pendulum-expart-v0'; did you mean pendulum-expert-v0",
        ),
        ("algorithms=[td3bc]", "unknown algorithm 'td3bc'; did you mean td3_bc"),
        ("seeds=0", "seeds is empty; give at least one"),
        ("resources.cpus=0", "resources.cpus: "),
        ("resources.pack=0", "resources.pack: must be greater than or equal to 1 or 'auto', not 0"),
        ("resources.algorithms={cql: {gpus: 1}}", "resources.algorithms: no algorithm cql"),
    ],
)
def test_set_of_a_wrong_value_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str, setting: str, complaint: str
) -> None:
    assert complaint in rejected(capsys, "run", file, "--set", setting)


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("datasets.0.environment=Pendulm-v1", "environment Pendulm-v1: gymnasium cannot make it"),
        ("algorithms.bc.state_normalization=[1, 2]", "algorithm bc on pendulum-expert-v0: "),
        (
            "datasets.0.environment=tests.environments.odd:Odd/NanPendulum-v0",
            "environment tests.environments.odd:Odd/NanPendulum-v0: step() returns a reward that is NaN",
        ),
    ],
)
def test_run_that_would_fail_on_workers_is_rejected_before_ray_starts(
    capsys: pytest.CaptureFixture[str],
    file: str,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    complaint: str,
    option: tuple[str, ...],
) -> None:
    monkeypatch.setattr("harness.tuning.cluster.connected", lambda *_: pytest.fail("Ray was started"))
    assert complaint in rejected(capsys, "run", file, "--set", setting, *option)


@pytest.mark.parametrize(
    ("begun", "complete", "said"),
    [
        (False, False, "Nothing was started yet; run the same command again."),
        (True, False, "Resume with: harness resume results/small"),
        (True, True, "All trials are done; show the results with: harness table results/small"),
    ],
)
def test_interrupted_run_prints_what_to_do_next(
    capsys: pytest.CaptureFixture[str],
    file: str,
    monkeypatch: pytest.MonkeyPatch,
    begun: bool,
    complete: bool,
    said: str,
) -> None:
    def interrupted(plan: Plan) -> None:
        if begun:
            plan.results.save(runs=[{"ended": None}])
        monkeypatch.setattr(Progress, "complete", complete)
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.tuning.driver.run", interrupted)
    assert cli.main(["run", file]) == 130
    assert capsys.readouterr().out.splitlines() == [
        "small: 2 variants x 1 dataset x 2 seeds",
        "4 trials of 1,000 gradient steps",
        "4,000 steps left; to download: nothing; disk: about 10 MB",
        said,
    ]


def test_run_with_a_failed_trial_names_its_log(
    capsys: pytest.CaptureFixture[str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    def failed(plan: Plan) -> None:
        for trial in plan.progress.trials[:2]:
            trial.state = "failed"
            keys.append(trial.key)
        plan.results.store.write(f"trials/{keys[1]}/log.txt", b"Traceback")  # the first never started

    monkeypatch.setattr("harness.tuning.driver.run", failed)
    assert cli.main(["run", file]) == 1
    assert f"details: results/small/trials/{keys[1]}/log.txt" in capsys.readouterr().out.splitlines()


def test_only_that_selects_nothing_is_rejected(capsys: pytest.CaptureFixture[str], file: str) -> None:
    assert "no algorithm cql" in rejected(capsys, "run", file, "--only", "algorithm=cql")


def test_output_below_a_file_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str, tmp_path: Path
) -> None:
    (tmp_path / "occupied").write_text("")
    message = rejected(capsys, "run", file, "--output", "occupied/results")
    assert message.startswith("occupied/results: cannot write")
    assert "is not a directory" in message


def test_output_that_is_a_file_or_in_use_is_rejected_before_any_work(
    capsys: pytest.CaptureFixture[str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.storage.lease import Lease

    monkeypatch.setattr("harness.tuning.preflight.prefetch", lambda *_: pytest.fail("a download began"))
    Path("occupied").write_text("")
    holder = Lease.acquire(open_store("taken"))
    for dry in ((), ("--dry-run",)):
        assert "occupied: cannot write results" in rejected(capsys, "run", file, "--output", "occupied", *dry)
        message = rejected(capsys, "run", file, "--output", "taken", *dry)
        assert message.startswith("taken: another driver is already running here (process ")
    holder.release()
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda *_: False)
        assert "read-only: cannot write results" in rejected(capsys, "run", file, "--output", "read-only")
    assert not Path("read-only").exists()


def test_output_in_a_missing_bucket_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str, s3_bucket: str
) -> None:
    message = rejected(capsys, "run", file, "--output", "s3://no-such-bucket-here/x")
    assert message.startswith("s3://no-such-bucket-here/x: cannot")


def test_output_with_results_of_another_experiment_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str
) -> None:
    results = prepared(open_store("results/small"))
    finish(results, results.requested_trials()[0])
    message = rejected(capsys, "run", file, "--set", "training.gradient_steps=7")
    assert message.startswith(
        "results/small contains the results of a different experiment: training.gradient_steps: "
    )
    assert message.endswith("Choose another directory with --output, or remove results/small")


def test_resume_and_status_of_a_missing_directory_are_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("resume", "status"):
        assert rejected(capsys, verb, "nowhere").startswith("nowhere: no experiment here")


def test_resume_of_an_edited_experiment_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    prepared(open_store("results/small"))
    path = Path("results/small/experiment.yaml")
    path.write_text(path.read_text().replace("interval: 500", "interval: 250"))
    assert "experiment.yaml has changed since the last run" in rejected(capsys, "resume", "results/small")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "auto", "nonsense", "ray://127.0.0.1:10001", ":6379"])
def test_address_where_no_ray_answers_is_rejected(
    capsys: pytest.CaptureFixture[str],
    file: str,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Whatever else runs on this machine.
    monkeypatch.setattr("ray._private.services.find_gcs_addresses", functools.cache(set))
    assert f"--address {address}: " in rejected(capsys, "run", file, "--address", address)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "env.yaml: No such file or directory"),
        ("[", "not valid YAML"),
        ("- pip", "must be a mapping"),
        ("name: a\nseeds: 1", "unknown key name"),
        ("pipp: [x]", "unknown key pipp; did you mean pip"),
        ("env_vars: {A: 1}", "runtime_env['env_vars'] must be of type Dict[str, str]"),
    ],
)
def test_runtime_environment_that_is_not_valid_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str, text: str | None, complaint: str
) -> None:
    if text is not None:
        Path("env.yaml").write_text(text)
    for dry in ((), ("--dry-run",)):
        assert complaint in rejected(capsys, "run", file, "--runtime-env", "env.yaml", *dry)


def test_run_where_ray_cannot_write_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("RAY_TMPDIR", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/proc/nobody")
    message = rejected(capsys, "run", file)
    assert message.startswith("/proc/nobody/.ray: cannot be written (")
    assert "set HOME to a writable directory" in message
    monkeypatch.setenv("TMPDIR", "/proc/nothing")
    assert "set TMPDIR to a writable one" in rejected(capsys, "run", file)
    assert not Path("results").exists()


@pytest.mark.parametrize("option", ["--wandb", "--mlflow"])
def test_tracker_that_is_not_installed_is_rejected(
    capsys: pytest.CaptureFixture[str], file: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tuning.trackers.find_spec", lambda name: None)
    package = option.removeprefix("--")
    message = rejected(capsys, "run", file, option, "x")
    assert rejected(capsys, "run", file, option, "x", "--dry-run") == message
    assert message == f"{option} requires the package {package}: pip install 'offline-rl-harness[{package}]'"


@pytest.mark.parametrize(
    ("package", "value", "complaint"),
    [
        ("wandb", "project", "--wandb: not logged in to Weights & Biases; run `wandb login`"),
        ("mlflow", "foo://x", "--mlflow foo://x: MLflow cannot log there ("),
        ("mlflow", "runs", "give a database such as sqlite:///mlflow.db"),
        ("mlflow", "http://127.0.0.1:1", "--mlflow http://127.0.0.1:1: cannot connect ("),
    ],
)
def test_tracker_that_cannot_log_is_rejected(
    capsys: pytest.CaptureFixture[str],
    file: str,
    package: str,
    value: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pytest.importorskip(package)
    for name in ("WANDB_API_KEY", "WANDB_MODE", "MLFLOW_ALLOW_FILE_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert complaint in rejected(capsys, "run", file, f"--{package}", value)
    if package == "wandb" or "://127" in value:
        assert complaint in rejected(capsys, "run", file, f"--{package}", value, "--dry-run")
    assert not Path("results").exists()


@pytest.mark.slow
def test_dry_run_shows_the_plan_and_writes_nothing(capsys: pytest.CaptureFixture[str], file: str) -> None:
    assert cli.main(["run", file, "--dry-run", "--only", "algorithm=bc"]) == 0
    shown = capsys.readouterr().out
    assert "2 trials" in shown
    assert "2,000 steps left" in shown
    assert "to download: nothing" in shown
    assert " on this machine's CPU, " in shown
    assert "small: 1 variant x 1 dataset x 2 seeds" in shown
    assert "waiting" not in shown
    assert not Path("results").exists()


def test_dry_run_with_verbose_lists_trials(
    capsys: pytest.CaptureFixture[str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tuning.speed.steps_per_second", lambda *_: 100.0)
    assert cli.main(["run", file, "--dry-run", "-v", "--only", "algorithm=bc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["state", "algorithm", "dataset", "seed"]
    assert lines[1].split() == ["waiting", "bc", "pendulum-expert-v0", "0", "0", "of", "1,000"]
    assert cli.main(["run", file, "-v"]) == 2
    assert "add --dry-run" in capsys.readouterr().err


def test_dry_run_counts_the_samples_of_a_search(
    capsys: pytest.CaptureFixture[str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tuning.speed.steps_per_second", lambda *_: 100.0)
    sweep = ["--set", "sweep={algorithms.td3_bc.alpha: {log_uniform: [1, 9]}}", "--set", "samples=4"]
    halving = ["--set", "halving={rungs: [500], eta: 2}"]
    assert cli.main(["run", file, "--dry-run", *sweep, *halving, "--only", "algorithm=td3_bc"]) == 0
    shown = capsys.readouterr().out.splitlines()
    drawn = "search of td3_bc: 4 samples of alpha (sobol, sampling_seed 0)"
    assert f"{drawn}; datasets: 1, seeds: 2, trials: 8" in shown
    left = "halving compares them at 500 gradient steps and leaves 2 of 4"
    assert f"{left}: 6,000 of 8,000 gradient steps" in shown
    assert "at most 8,000 steps left; to download: nothing; disk: about 32 MB" in shown


def test_dry_run_rejects_what_a_run_would(capsys: pytest.CaptureFixture[str], file: str) -> None:
    assert cli.main(["run", file, "--dry-run", "--set", "resources.cpus=4000"]) == 2
    assert "requests 4000 CPUs, but no machine has that" in capsys.readouterr().err


def test_status_without_a_driver_says_how_to_resume(capsys: pytest.CaptureFixture[str]) -> None:
    results = prepared(open_store("results/small"))
    finish(results, results.requested_trials()[0])
    assert cli.main(["status", "results/small"]) == 0
    shown = capsys.readouterr().out
    assert "25% trained | 1 of 4 trials done, 3 waiting\n" in shown
    assert "left" not in shown
    assert "No driver is running; resume with: harness resume results/small" in shown
    assert cli.main(["status", "results/small", "--watch"]) == 0, "nothing to wait for"


def test_status_of_results_without_the_records_of_trials_is_rejected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = open_store("results/copied")
    prepared(store)
    store.write("evaluations.parquet", b"")
    for options in ([], ["--json"], ["--watch"]):
        assert cli.main(["status", "results/copied", *options]) == 2
        assert "show the results with harness table results/copied" in capsys.readouterr().err


def test_status_as_json_counts_trials(capsys: pytest.CaptureFixture[str]) -> None:
    results = prepared(open_store("results/small"))
    finish(results, results.requested_trials()[0])
    assert cli.main(["status", "results/small", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["trials"] == {
        "done": 1,
        "running": 0,
        "failed": 0,
        "waiting": 3,
        "paused": 0,
        "stopped": 0,
    }
    assert shown["driver"] is None
    assert shown["each"][0]["state"] == "done"


@pytest.mark.slow
def test_driver_does_not_import_torch() -> None:
    import subprocess

    code = (
        "import sys\nfrom harness.tuning import driver, tune_run, selection, worker\n"
        "from harness.reporting import tables\nfrom harness.reporting import reading\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_status_marks_training_that_diverged(capsys: pytest.CaptureFixture[str]) -> None:
    results = prepared(open_store("results/small"))
    first = results.requested_trials()[0]
    record = results.record(first)
    record.claim(1, 0)
    diverged = [row | {"non_finite": "critic_loss"} for row in result(first)["rows"]]
    record.commit_result(result(first) | {"rows": diverged})
    assert cli.main(["status", "results/small"]) == 0
    assert "diverged: critic_loss not finite from step 500" in capsys.readouterr().out


ALGORITHM = """
from harness.algorithms import AutogradLearner, Hyperparameters

class Mine(AutogradLearner[Hyperparameters]):
    def networks(self, observation_size, action_size):
        return {}

    def update(self, batch):
        return {}
"""


def test_status_without_the_users_module_counts_what_is_recorded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from harness.algorithms import registry

    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "status_lab.py").write_text(ALGORITHM)
    monkeypatch.syspath_prepend(lab)
    results = prepared(open_store("results/own"), algorithms={"mine": {"algorithm": "status_lab:Mine"}})
    finish(results, results.requested_trials()[0])
    results.record(results.requested_trials()[1]).write_progress({"step": 500, "normalized_score": 12.5})

    def counts() -> str:
        assert cli.main(["status", "results/own"]) == 0
        return capsys.readouterr().out

    with_module = counts()
    assert "1 of 2 trials done" in with_module
    monkeypatch.delitem(sys.modules, "status_lab")
    (lab / "status_lab.py").unlink()
    registry._from_outside.cache_clear()
    assert counts() == with_module
