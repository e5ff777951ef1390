from __future__ import annotations

from harness.storage.progress import scan
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.tuning.best_so_far import BestSoFar, final_score
from tests.storage.make import experiment, result

SWEEP = {
    "algorithms": ["td3_bc"],
    "sweep": {"algorithms.td3_bc.alpha": {"choice": [1, 2, 3]}},
    "samples": 3,
    "sampled": {"td3_bc": [{"alpha": 1}, {"alpha": 2}, {"alpha": 3}]},
}


def prepared(target: str) -> RunDirectory:
    results = RunDirectory.prepare(open_store(target), experiment(**SWEEP), [])
    results.save()
    return results


def finish(results: RunDirectory, sample: str, score: float) -> None:
    for trial in results.requested_trials():
        if trial.algorithm == sample:
            content = result(trial)
            for row in content["rows"]:
                row["normalized_score"] = score
            record = results.record(trial)
            record.claim(1, 0)
            record.commit_result(content)


def test_best_so_far_reports_each_new_best_sample(target: str) -> None:
    results = prepared(target)
    progress = scan(results)
    best = BestSoFar(results, progress)
    lines = []
    for sample, score in (("td3_bc@s01", 5.0), ("td3_bc@s00", 4.0), ("td3_bc@s02", 6.25)):
        finish(results, sample, score)
        for trial in progress.trials:
            if trial.algorithm == sample:
                trial.state = "done"
                lines.append(best.after(sample))
    assert lines == [
        None,  # one of its seeds is not done yet
        "best of td3_bc so far: s01: alpha=2.0, mean score 5.0 (1 of 3 samples finished)",
        None,
        None,
        None,
        "best of td3_bc so far: s02: alpha=3.0, mean score 6.2 (3 of 3 samples finished)",
    ]


def test_best_so_far_counts_trials_finished_before_a_resume_silently(target: str) -> None:
    results = prepared(target)
    finish(results, "td3_bc@s01", 5.0)
    progress = scan(results)
    best = BestSoFar(results, progress)
    finish(results, "td3_bc@s00", 4.0)
    progress = scan(results)
    best._progress = progress
    assert best.after("td3_bc@s00") is None


def test_best_so_far_without_a_readable_result_reports_nothing(target: str) -> None:
    results = prepared(target)
    progress = scan(results)
    best = BestSoFar(results, progress)
    finish(results, "td3_bc@s00", 4.0)
    for trial in progress.trials:
        if trial.algorithm == "td3_bc@s00":
            trial.state = "done"
    results.store.write(f"trials/{trial_key(results, 'td3_bc@s00')}/result.json", b"damaged")
    assert best.after("td3_bc@s00") is None


def trial_key(results: RunDirectory, sample: str) -> str:
    return next(trial.key for trial in results.requested_trials() if trial.algorithm == sample)


def test_final_score_is_the_mean_of_the_final_ten_evaluations() -> None:
    rows = [{"step": step, "return_mean": float(step), "normalized_score": None} for step in range(12)]
    assert final_score(experiment().trials()[0], rows) == ("pendulum-expert-v0", 6.5, False)
