import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.training import normalization
from harness.training.normalization import state_statistics


@given(rows=st.integers(1, 50), block=st.integers(1, 60))
def test_state_statistics_standardize_does_not_depend_on_the_block_size(rows, block):
    observations = np.random.default_rng(rows).normal(3.0, 2.0, (rows, 4)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalization, "ROWS_AT_ONCE", block)
        mean, scale = state_statistics(observations, "standardize")
    exact = observations.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scale, exact.std(axis=0) + 1e-3, rtol=1e-6)
    assert mean.dtype == scale.dtype == np.float32


def test_state_statistics_of_none_and_listed_scales():
    observations = np.ones((5, 3), np.float32)
    mean, scale = state_statistics(observations, "none")
    assert (mean == 0).all()
    assert (scale == 1).all()
    mean, scale = state_statistics(observations, (1.0, 1.0, 8.0))
    assert (mean == 0).all()
    assert scale.tolist() == [1, 1, 8]


def test_state_statistics_with_a_list_of_another_length_raises():
    with pytest.raises(HarnessError, match="lists 2 scales, but observations have size 3"):
        state_statistics(np.ones((5, 3), np.float32), (1.0, 8.0))
