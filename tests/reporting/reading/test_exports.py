"""The shapes in which experiment trackers export results."""

import pytest

from harness.errors import HarnessError
from harness.reporting import reading

CHART = (
    '"Step","{0} - eval/return","{0} - eval/return__MIN","{0} - eval/return__MAX","{1} - eval/return",'
    '"{1} - eval/return__MIN","{1} - eval/return__MAX","{0} - _step","{0} - _step__MIN","{0} - _step__MAX"'
)
RUNS = ("td3_bc--hopper-medium-v2--0", "td3_bc--hopper-medium-v2--1")


def read(tmp_path, *lines):
    path = tmp_path / "export.csv"
    path.write_text("\n".join(lines) + "\n")
    return reading.load(path)


def test_a_chart_of_wandb_is_read_by_the_names_of_its_runs(tmp_path):
    header = CHART.format(*RUNS)
    results = read(tmp_path, header, "10,1,1,1,,,,10,10,10", "20,3,3,3,5,5,5,20,20,20", "10,,,,4,4,4,,,")
    frame = results.frame[["algorithm", "dataset", "seed", "step", "return_mean"]].astype({"algorithm": str})
    assert frame.drop(columns="dataset").to_numpy().tolist() == [
        ["td3_bc", 0, 10, 1],
        ["td3_bc", 0, 20, 3],
        ["td3_bc", 1, 10, 4],
        ["td3_bc", 1, 20, 5],
    ]
    assert results.datasets == ["hopper-medium-v2"]
    assert results.notes == ()


def test_a_chart_that_averages_evaluations_is_rejected(tmp_path):
    with pytest.raises(HarnessError, match="has means of several evaluations"):
        read(tmp_path, CHART.format(*RUNS), "10,1,0.5,1.5,,,,10,10,10")


def test_a_chart_of_runs_with_other_names_is_rejected(tmp_path):
    with pytest.raises(HarnessError, match="cannot tell the trial of run 'royal-sweep-5'"):
        read(tmp_path, CHART.format("royal-sweep-5", RUNS[1]), "10,1,1,1,,,,10,10,10")


def test_a_chart_over_time_is_rejected(tmp_path):
    header = CHART.format(*RUNS).replace('"Step"', '"Relative Time (Process)"')
    with pytest.raises(HarnessError, match=r"x axis is 'Relative Time .Process.'; export it with Step"):
        read(tmp_path, header, "10,1,1,1,,,,10,10,10")


def test_a_chart_of_another_metric_has_no_scores(tmp_path):
    header = CHART.format(*RUNS).replace("eval/return", "critic_loss")
    with pytest.raises(HarnessError, match="no scores; required: "):
        read(tmp_path, header, "10,1,1,1,,,,10,10,10")


def test_a_history_of_wandb_is_read_with_its_own_steps(tmp_path):
    results = read(
        tmp_path,
        ",_step,_runtime,_timestamp,critic_loss,return_mean,algorithm,dataset,seed",
        "0,500,1.5,1.7e9,0.3,,bc,x,0",
        "1,1000,2.5,1.7e9,0.2,-100.5,bc,x,0",
        "2,1500,3.5,1.7e9,0.1,,bc,x,0",
        "3,2000,4.5,1.7e9,,-99.5,bc,x,0",
    )
    assert results.frame["step"].tolist() == [1000, 2000]
    assert "critic_loss" in results.frame
    assert not {"_runtime", "_timestamp", "Unnamed: 0"} & set(results.frame)
    assert results.notes == (
        "Column _step of Weights & Biases is read as gradient steps.",
        "Left out: 2 of 4 rows, which have no return.",
    )


def test_metrics_of_mlflow_without_trials_get_a_hint(tmp_path):
    with pytest.raises(
        HarnessError, match=r"columns algorithm, dataset, seed missing .*docs/other-tools\.md"
    ):
        read(tmp_path, "run_id,key,value,step,timestamp", "8f,return_mean,1.5,1000,1700000000000")
