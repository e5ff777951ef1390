import pytest
import torch

from harness.algorithms import hyperparameters_class
from harness.bench import steps
from harness.errors import HarnessError


def case(algorithm="td3_bc", pack=1, precision="fp32"):
    return steps.Case(algorithm, pack, precision, torch.device("cpu"))


@pytest.fixture
def _few_transitions(monkeypatch):
    made_up = steps.transitions(2_000)
    monkeypatch.setattr(steps, "transitions", lambda *_: made_up)


def test_flops_per_step_of_td3_bc_equals_the_known_count():
    """A step of TD3+BC with 17 states and 6 actions takes 0.42 GFLOP."""
    assert steps.flops_per_step(hyperparameters_class("td3_bc")()) == pytest.approx(0.4135e9, rel=1e-3)
    assert steps.flops_per_step(hyperparameters_class("td3")()) == pytest.approx(0.4135e9, rel=1e-3)
    assert steps.flops_per_step(hyperparameters_class("bc")()) == pytest.approx(0.1075e9, rel=1e-3)
    every_step = hyperparameters_class("td3")(policy_freq=1)
    assert steps.flops_per_step(every_step) == pytest.approx(0.5028e9, rel=1e-3)
    assert steps.flops_per_step(hyperparameters_class("rebrac")()) is None


def test_flops_per_step_equals_the_count_of_torch():
    """torch itself counts the operations over two steps."""
    from torch.utils.flop_counter import FlopCounterMode

    for algorithm in ("bc", "td3", "td3_bc"):
        learner = steps.new_learner(case(algorithm), steps.transitions(500))
        learner.train(2)
        with FlopCounterMode(display=False) as counter:
            learner.train(2)
        expected = 2 * steps.flops_per_step(learner.hyperparameters)
        assert counter.get_total_flops() == pytest.approx(expected, rel=0.01)


@pytest.mark.usefixtures("_few_transitions")
@pytest.mark.parametrize("algorithm", ["bc", "td3"])
def test_measure_returns_consistent_parts(algorithm):
    (measurement,) = steps.measure([case(algorithm)], seconds=0.01)
    assert measurement.case == f"{algorithm} fp32"
    assert measurement.unit == "steps/s"
    assert measurement.ratio == pytest.approx(measurement.ours / measurement.textbook, rel=1e-6)
    work = steps.flops_per_step(hyperparameters_class(algorithm)())
    peak = measurement.details["sgemm peak GFLOP/s"] * 1e9
    fraction = measurement.details["fraction of sgemm peak"]
    assert fraction == pytest.approx(measurement.ours * work / peak, rel=1e-6)
    assert 0 < fraction < 1.5


@pytest.mark.usefixtures("_few_transitions")
def test_measure_of_a_pack_counts_every_seed():
    (measurement,) = steps.measure([case("bc", pack=2)], seconds=0.01)
    assert (measurement.case, measurement.unit) == ("bc fp32 x 2 seeds", "seed-steps/s")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.usefixtures("_few_transitions")
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_measure_on_a_gpu_compares_with_its_peak(precision):
    first, second = steps.measure(steps.cases(["td3_bc"], [1, 4], [precision], "cuda"), seconds=0.5)
    fast = "bf16" if precision == "bf16" else "tf32"
    assert 0 < second.details[f"fraction of {fast} peak"] < second.details["fraction of sgemm peak"] < 1.5
    assert 0 < first.details["memory GiB"] < second.details["memory GiB"] < 4


def test_cases_with_tf32_on_a_cpu_raises():
    with pytest.raises(HarnessError, match="precision tf32 requires a GPU; use --device cuda"):
        steps.cases(["bc"], [1], ["fp32", "tf32"], "cpu")


def test_cases_on_a_missing_gpu_raises():
    with pytest.raises(HarnessError, match=r"device cuda:x: Invalid device string.*; use --device cpu"):
        steps.cases(["bc"], [1], ["fp32"], "cuda:x")
    if not torch.cuda.is_available():
        with pytest.raises(HarnessError, match=r"device cuda: .*(CUDA|NVIDIA).*; use --device cpu"):
            steps.cases(["bc"], [1], ["fp32"], "cuda")
