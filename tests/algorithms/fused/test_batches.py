import torch

from harness.algorithms.fused.batches import Batch

SEEDS, SIZE, STATES, ACTIONS = 2, 6, 3, 2


def filled(generator):
    batch = Batch.allocate(SEEDS, SIZE, STATES, ACTIONS, torch.device("cpu"))
    rows = torch.randn(SEEDS, SIZE, 2 * STATES + ACTIONS + 2, generator=generator)
    rows[..., -1] = rows[..., -1] > 0
    batch.fill(rows)
    return batch, rows


def test_filled_batch_has_a_column_of_ones_before_the_inputs():
    batch, rows = filled(torch.Generator().manual_seed(0))
    state, action, reward, next_state, not_terminal = rows.split((STATES, ACTIONS, 1, STATES, 1), dim=2)
    one = torch.ones(SEEDS, SIZE, 1)
    assert torch.equal(batch.state_action.tensor, torch.cat([one, state, action], dim=2))
    assert torch.equal(batch.state.tensor, torch.cat([one, state], dim=2))
    assert torch.equal(batch.next_state.tensor, torch.cat([one, next_state], dim=2))
    assert torch.equal(batch.action, action)
    assert torch.equal(batch.reward, reward)
    assert torch.equal(batch.not_terminal, not_terminal)


def test_rows_may_end_after_the_action():
    whole, rows = filled(torch.Generator().manual_seed(0))
    batch = Batch.allocate(SEEDS, SIZE, STATES, ACTIONS, torch.device("cpu"))
    batch.fill(rows[..., : STATES + ACTIONS])
    assert torch.equal(batch.state_action.tensor, whole.state_action.tensor)


def test_next_actions_are_stored_after_the_next_states():
    batch, _ = filled(torch.Generator().manual_seed(0))
    batch.next_action.fill_(7)
    assert torch.equal(batch.next_state_action.tensor[..., : 1 + STATES], batch.next_state.tensor)
    assert (batch.next_state_action.tensor[..., 1 + STATES :] == 7).all()


def test_parts_are_views_that_follow_what_is_filled_in_later():
    batch, _ = filled(torch.Generator().manual_seed(0))
    part = batch.part(2, 3)
    assert batch.part(2, 3) is part
    batch.fill(torch.ones(SEEDS, SIZE, 2 * STATES + ACTIONS + 2))
    assert part.state_action.tensor.shape == (SEEDS, 3, 1 + STATES + ACTIONS)
    assert (part.state_action.tensor == 1).all()
    assert (part.not_terminal == 1).all()
    assert torch.equal(part.part(1, 2).reward, batch.reward[:, 3:5])
