import pytest
import torch

from harness.algorithms.sampling import Sampler
from harness.algorithms.streams import CHUNK
from harness.errors import HarnessError
from tests.algorithms.make import ACTIONS, STATES, TERMINAL, statistics, training_data, transitions

CPU = torch.device("cpu")


def test_rows_are_normalised_and_drawn_with_replacement_from_all_transitions():
    rows = transitions(count=20)
    untouched = rows.clone()
    sampler = Sampler(training_data(rows), [0], 64, rows.shape[1], CPU)
    indices = sampler.indices.steps(0, 4)
    drawn = sampler.rows(indices)
    assert torch.equal(rows, untouched)
    assert set(indices.flatten().tolist()) == set(range(20))
    source = rows[indices[0]]
    mean, scale = statistics()
    torch.testing.assert_close(drawn[0, :, :STATES], (source[:, :STATES] - mean) / scale)
    next_state = slice(STATES + ACTIONS + 1, TERMINAL)
    torch.testing.assert_close(drawn[0, :, next_state], (source[:, next_state] - mean) / scale)
    assert torch.equal(drawn[0, :, STATES : STATES + ACTIONS + 1], source[:, STATES : STATES + ACTIONS + 1])
    assert torch.equal(drawn[0, :, TERMINAL], 1 - source[:, TERMINAL])
    assert torch.equal(drawn[0, :, TERMINAL + 1 :], source[:, TERMINAL + 1 :])


def test_seeds_draw_from_their_own_rows():
    rows = torch.arange(20.0).unsqueeze(1).expand(20, 2 * STATES + ACTIONS + 2)
    data = training_data(rows)
    data = type(data)(**(vars(data) | {"rows": [range(5), range(15, 20)]}))
    sampler = Sampler(data, [0, 0], 64, rows.shape[1], CPU)
    first, second = sampler.indices.steps(0, 8)
    assert (int(first.min()), int(first.max())) == (0, 4)
    assert (int(second.min()), int(second.max())) == (15, 19)


def without_replacement(count, batch_size):
    return Sampler(training_data(transitions(count=count)), [0], batch_size, 1, CPU, replacement=False)


@pytest.mark.parametrize(("count", "batch_size"), [(5, 2), (20, 19), (8, 8)])
def test_batches_without_replacement_hold_no_transition_twice_and_all_equally_often(count, batch_size):
    sampler = without_replacement(count, batch_size)
    batches = torch.cat(
        [sampler.indices.steps(first, CHUNK).view(CHUNK, -1) for first in range(0, 20 * CHUNK, CHUNK)]
    )
    assert all(len(set(batch)) == batch_size for batch in batches.tolist())
    frequencies = torch.bincount(batches.flatten(), minlength=count) / len(batches)
    torch.testing.assert_close(frequencies, torch.full((count,), batch_size / count), atol=0.03, rtol=0)


def test_batch_without_replacement_from_fewer_transitions_is_rejected():
    with pytest.raises(
        HarnessError, match=r"a batch of 9 transitions .* which has 8; use a smaller batch_size"
    ):
        without_replacement(8, 9)
