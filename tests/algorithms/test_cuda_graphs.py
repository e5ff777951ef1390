import pytest
import torch

from harness.algorithms.cuda_graphs import GraphedCalls
from tests.algorithms.make import LEARNERS, assert_close_states, assert_equal_states, make, policy_freq

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def all_tensors(learner):
    by_seed = (learner._tensors(index).values() for index in range(len(learner._seeds)))
    tensors = {tensor.data_ptr(): tensor.detach() for each in by_seed for tensor in each}
    progress = getattr(learner, "_progress", None)
    return [*tensors.values(), *([] if progress is None else [progress])]


def capture_on_cpu(learner):
    """Capturing must do no work: what the function did is undone; replaying does it."""

    def capture(function):
        before = [tensor.clone() for tensor in all_tensors(learner)]
        result = function()
        for tensor, old in zip(all_tensors(learner), before, strict=True):
            tensor.copy_(old)
        return function, result

    return capture


@pytest.mark.parametrize(
    ("algorithm", "implementation", "settings"),
    [
        (*learner, settings)
        for learner in LEARNERS
        for settings in (
            [policy_freq(learner[0], every) for every in (2, 3, 20)] if policy_freq(learner[0], 2) else [{}]
        )
    ],
    ids=str,
)
def test_captured_steps_equal_eager_steps(algorithm, implementation, settings):
    eager, graphed = (
        make(algorithm, implementation, seeds=(0, 1), stacked=True, **settings) for _ in range(2)
    )
    calls = GraphedCalls(graphed._do_steps, capture_on_cpu(graphed))
    graphed._run = calls
    # A kind is a sequence of branches in 8 steps; with updates of the policy every 3 or 20 steps few repeat.
    for steps in (5, 100, 7) if settings.get("policy_freq", 2) > 2 else (5, 30, 7):
        eager.train(steps)
        graphed.train(steps)
    assert calls._captured
    for index in range(2):
        assert_equal_states(eager.state_dict(index), graphed.state_dict(index))


def test_graph_is_captured_after_warm_ups_and_replayed_with_new_inputs():
    ran, total = [], torch.zeros(())

    def function(kind, number):
        ran.append(kind)
        total.add_(number)
        return total

    def capture(work):
        return work, total

    calls = GraphedCalls(function, capture)
    for number in range(1, 6):
        calls("a", torch.tensor(float(number)))
    assert total == 15
    assert calls("b", torch.tensor(1.0)) == 16
    assert ran == ["a"] * 5 + ["b"]
    assert list(calls._captured) == ["a"]


@needs_cuda
@pytest.mark.parametrize(("algorithm", "implementation"), LEARNERS)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_graphs_and_eager_steps_agree_on_a_gpu(algorithm, implementation, precision):
    if precision == "bf16" and implementation == "autograd":
        pytest.skip("bf16 is for fused learners")
    settings = {"gradient_norm_clip": 1.0, "precision": precision}
    graphed, eager = (
        make(algorithm, implementation, seeds=(0, 1, 2), device="cuda", **settings) for _ in range(2)
    )
    eager._run = eager._do_steps
    for steps in (5, 60, 40, 7):
        eager.train(steps)
        graphed.train(steps)
    assert graphed._run._captured
    for index in range(3):
        assert_close_states(eager.state_dict(index), graphed.state_dict(index), 1e-5)
        assert graphed.metrics()[index] == pytest.approx(eager.metrics()[index], rel=1e-3, abs=1e-4)


@needs_cuda
def test_tf32_products_are_rounded_and_leave_others_alone():
    large = {"hidden_sizes": (256, 256), "batch_size": 256}
    rounded, exact = (make("bc", device="cuda", precision=name, **large) for name in ("tf32", "fp32"))
    for learner in (rounded, exact):
        learner.train(50)  # captured graphs keep the products that they were captured with
    assert not torch.backends.cuda.matmul.allow_tf32
    losses = [learner.metrics()[0]["actor_loss"] for learner in (rounded, exact)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


@needs_cuda
def test_a_gpu_starts_from_the_weights_of_a_cpu():
    assert_equal_states(make("td3_bc").state_dict(0), make("td3_bc", device="cuda").state_dict(0))


@needs_cuda
def test_a_seed_is_the_same_alone_and_in_a_pack_on_a_gpu():
    pack, alone = make("td3_bc", seeds=(3, 1), device="cuda"), make("td3_bc", seeds=(1,), device="cuda")
    pack.train(50)
    alone.train(50)
    assert_close_states(alone.state_dict(0), pack.state_dict(1), 1e-5)
