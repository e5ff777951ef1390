"""CUDA graphs: repeated GPU work without launching each kernel from Python."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
Capture = Callable[[Callable[[], Result]], tuple[Callable[[], None], Result]]

WARM_UPS = 2
"""Calls of each kind that run normally before one is captured, so that libraries can initialise."""


class GraphedCalls(Generic[Result]):
    """A function of tensors, captured once for each `kind` and replayed from then on.

    The function may depend on the kind, on the tensors and on memory that stays at its address, and its
    result must be stored in such memory. Every call does its work exactly once, including the warm-ups and
    the call that is captured, so that nothing has to be undone.
    """

    def __init__(self, function: Callable[..., Result], capture: Capture[Result]) -> None:
        self._function = function
        self._capture = capture
        self._warm_ups: dict[Hashable, int] = {}
        self._captured: dict[Hashable, tuple[list[Tensor], Callable[[], None], Result]] = {}
        """By kind: the inputs of its graph, what replays the graph, and the result."""

    def __call__(self, kind: Hashable, *inputs: Tensor) -> Result:
        """Return the function's result for these inputs, from a captured graph if `kind` has one."""
        if kind in self._captured:
            own_inputs, replay, result = self._captured[kind]
            for own, given in zip(own_inputs, inputs, strict=True):
                own.copy_(given)
            replay()
            return result
        done = self._warm_ups.get(kind, 0)
        self._warm_ups[kind] = done + 1
        if done < WARM_UPS:
            return self._function(kind, *inputs)
        own_inputs = [given.clone() for given in inputs]
        replay, result = self._capture(lambda: self._function(kind, *own_inputs))
        self._captured[kind] = own_inputs, replay, result
        replay()
        return result


def capture_on(device: torch.device) -> Capture[Result]:
    """Return a function that captures the kernels of a call into a graph without running them."""

    def capture(function: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        with torch.cuda.device(device), torch.cuda.graph(graph, stream=stream):
            result = function()
        return graph.replay, result

    return capture
