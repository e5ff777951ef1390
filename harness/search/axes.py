"""The axes of a sweep by algorithm: lists of values, ranges, or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from harness.search.sampling import size
from harness.search.spaces import AnySpace, Space, read_space, require_different

Axis: TypeAlias = tuple[Any, ...] | AnySpace
"""The values of a hyper-parameter in a sweep: each listed value, or samples of a range."""
Axes: TypeAlias = dict[str, dict[str, Axis]]
"""Axes by algorithm and hyper-parameter."""


def read_axis(raw: object) -> object:
    """Read a list of values, or a mapping such as `{uniform: [0, 1]}`.

    Raises:
        ValueError: if a list is empty or a range is not valid.
    """
    if not isinstance(raw, list | tuple):
        return read_space(raw)
    if not raw:
        raise ValueError("the list is empty; give at least one value")
    return require_different(tuple(raw))


def axes_by_algorithm(sweep: Mapping[str, Axis], algorithms: Iterable[str]) -> Axes:
    """Group the axes of a sweep, with names `algorithms.NAME.HYPERPARAMETER`, by algorithm.

    Raises:
        ValueError: if an axis has another name.
    """
    axes: Axes = {name: {} for name in algorithms}
    for path, axis in sweep.items():
        section, _, rest = path.partition(".")
        name, _, hyperparameter = rest.rpartition(".")
        if section != "algorithms" or name not in axes:
            raise ValueError(
                f"{path!r} must be algorithms.NAME.HYPERPARAMETER, with NAME one of {', '.join(axes)}"
            )
        axes[name][hyperparameter] = axis
    return axes


def ranges(axes: Axes) -> dict[str, dict[str, AnySpace]]:
    """Return only the ranges, for the algorithms that have any."""
    found = {
        name: {path: axis for path, axis in own.items() if isinstance(axis, Space)}
        for name, own in axes.items()
    }
    return {name: own for name, own in found.items() if own}


def require_count(count: int | None, spaces: Mapping[str, Mapping[str, AnySpace]]) -> None:
    """Check that `samples` is given exactly if there are ranges, and not more than there are settings."""
    if count is not None and not spaces:
        raise ValueError(
            f"{count} requires a range in sweep, such as algorithms.td3_bc.alpha: {{log_uniform: [0.1, 10]}}"
        )
    for name, own in spaces.items():
        if count is None:
            raise ValueError(
                f"sweep.algorithms.{name}.{next(iter(own))} is a range; set samples: N, the number of values "
                "to draw, or list the values to try"
            )
        different = size(own)
        if different is not None and different < count:
            raise ValueError(
                f"{count} exceeds the {different} different settings of {name}; reduce it, or list the "
                "values instead of ranges"
            )
