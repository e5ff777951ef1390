"""Running the same GPU work again and again without launching its kernels one by one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
Capture = Callable[[Callable[[], Result]], tuple[Callable[[], None], Result]]

WARM_UPS = 2
"""Calls of each kind that run as they are before one is captured: libraries set themselves up in them."""


class _Captured(NamedTuple, Generic[Result]):
    inputs: list[Tensor]
    replay: Callable[[], None]
    result: Result


class GraphedCalls(Generic[Result]):
    """A function of tensors, captured once for each `kind` and replayed from then on.

    What the function does may depend on the kind, on the tensors and on memory that stays where it is, of
    which its result must be made. Captured calls do the work of calls that run as they are, the warm-ups
    included, so that nothing has to be undone.
    """

    def __init__(self, function: Callable[..., Result], capture: Capture[Result]) -> None:
        self._function = function
        self._capture = capture
        self._warm_ups: dict[Hashable, int] = {}
        self._captured: dict[Hashable, _Captured[Result]] = {}

    def __call__(self, kind: Hashable, *inputs: Tensor) -> Result:
        """Return what the function gives for these inputs, by a captured graph where `kind` has one."""
        if kind in self._captured:
            captured = self._captured[kind]
            for own, given in zip(captured.inputs, inputs, strict=True):
                own.copy_(given)
            captured.replay()
            return captured.result
        done = self._warm_ups.get(kind, 0)
        self._warm_ups[kind] = done + 1
        if done < WARM_UPS:
            return self._function(kind, *inputs)
        own_inputs = [given.clone() for given in inputs]
        replay, result = self._capture(lambda: self._function(kind, *own_inputs))
        self._captured[kind] = _Captured(own_inputs, replay, result)
        replay()
        return result


def capture_on(device: torch.device) -> Capture[Result]:
    """Captures what a function would launch on a GPU, launching nothing yet."""

    def capture(function: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        with torch.cuda.device(device), torch.cuda.graph(graph, stream=stream):
            result = function()
        return graph.replay, result

    return capture
