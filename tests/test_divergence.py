import math

from harness.divergence import first_divergence, non_finite


def test_non_finite_names_the_metrics():
    assert non_finite({"q1": math.nan, "actor_loss": 1.0, "critic_loss": -math.inf}) == "q1, critic_loss"
    assert non_finite({"q1": 1e300}) is None
    assert non_finite({}) is None


def test_first_divergence_names_metrics_and_step():
    rows = [{"step": 500}, {"step": 1000, "non_finite": "q1"}, {"step": 1500, "non_finite": "q1, q2"}]
    assert first_divergence(rows) == "q1 not finite from step 1,000"
    assert first_divergence([{"step": 500, "non_finite": None}]) is None
