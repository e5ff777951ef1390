import pytest

from harness.training.evaluation import Evaluator
from tests.benchmarks import evaluation


def test_textbook_and_own_evaluation_run_the_same_episodes(monkeypatch):
    seen = {}
    plain = evaluation.textbook_evaluation
    ours = Evaluator.evaluate

    def watch_plain(*arguments):
        seen["textbook"] = plain(*arguments)
        return seen["textbook"]

    def watch_ours(*arguments):
        seen["ours"] = ours(*arguments)
        return seen["ours"]

    monkeypatch.setattr(evaluation, "textbook_evaluation", watch_plain)
    monkeypatch.setattr(Evaluator, "evaluate", watch_ours)
    (measurement,) = evaluation.measure(["Pendulum-v1"], seconds=0.01)
    returns, steps = seen["textbook"]
    assert steps == evaluation.EPISODES * 200
    assert seen["ours"].returns == pytest.approx(returns, rel=1e-3)
    assert measurement.ratio == pytest.approx(measurement.ours / measurement.textbook)
