from __future__ import annotations

import pytest
import torch

from harness.algorithms.fused.buffers import InputBatch, aligned_rows


@pytest.mark.parametrize("columns", [1, 15, 16])
def test_repeated_inputs_keep_their_rows_aligned(columns):
    room = aligned_rows(2, 5, columns, device=torch.device("cpu"))
    room[..., 1:].normal_()
    inputs, transposed = InputBatch(room).stacked(6)
    assert torch.equal(inputs, room.repeat(3, 1, 1))
    assert torch.equal(transposed, inputs.mT)
    assert all(stride % 4 == 0 for stride in inputs.stride()[:2])
