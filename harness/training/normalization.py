"""The statistics by which states are normalised: (s - mean) / scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError

EPSILON = 1e-3  # TD3+BC, section 5: (s - mean) / (std + 1e-3)
ROWS_AT_ONCE = 65_536


def state_statistics(
    observations: NDArray[np.float32], normalization: str | tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and scale, [S] each, for a setting of `Hyperparameters.state_normalization`."""
    size = observations.shape[1]
    if normalization == "standardize":
        mean, std = _mean_and_std(observations)
        return mean.astype(np.float32), std.astype(np.float32) + np.float32(EPSILON)
    if normalization == "none":
        return np.zeros(size, np.float32), np.ones(size, np.float32)
    require_size(normalization, size)
    return np.zeros(size, np.float32), np.array(normalization, np.float32)


def require_size(normalization: str | tuple[float, ...], size: int) -> None:
    """Raise a HarnessError if `state_normalization` lists more or fewer scales than an observation has."""
    if not isinstance(normalization, str) and len(normalization) != size:
        raise HarnessError(
            f"state_normalization lists {len(normalization)} scales, but observations have size {size}"
        )


def _mean_and_std(observations: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute both in double precision, by blocks of rows because the array may be a file of gigabytes."""
    blocks = [observations[at : at + ROWS_AT_ONCE] for at in range(0, len(observations), ROWS_AT_ONCE)]
    mean = np.sum([block.sum(axis=0, dtype=np.float64) for block in blocks], axis=0) / len(observations)
    variance = np.sum([((block - mean) ** 2).sum(axis=0) for block in blocks], axis=0) / len(observations)
    return mean, np.sqrt(variance)
