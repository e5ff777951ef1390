import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.algorithms.streams import CHUNK, Stream, generator

CPU = torch.device("cpu")


def stream(seeds, name="batches"):
    return Stream(name, seeds, CPU, lambda _, source: torch.randint(10**9, (CHUNK * 2,), generator=source))


@settings(deadline=None)
@given(step=st.integers(0, 10**6), count=st.integers(1, 8))
def test_steps_depend_on_nothing_drawn_before(step, count):
    count = min(count, CHUNK - step % CHUNK)
    used = stream([3])
    used.steps(0, 1)
    together = used.steps(step, count)
    one_by_one = torch.cat([stream([3]).steps(step + index, 1) for index in range(count)], dim=1)
    assert torch.equal(together, one_by_one)


@settings(deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=2, max_size=4, unique=True))
def test_a_seed_draws_the_same_in_any_pack(seeds):
    pack = stream(seeds).steps(7, 3)
    for index, seed in enumerate(seeds):
        assert torch.equal(pack[index], stream([seed]).steps(7, 3)[0])


def test_seeds_streams_and_chunks_differ():
    first_numbers = [
        torch.randint(10**15, (1,), generator=generator(seed, name, chunk)).item()
        for seed in (0, 1, 10, 2**40)
        for name in ("batches", "target noise", "actor")
        for chunk in (0, 1, 2, 10)
    ]
    assert len(set(first_numbers)) == len(first_numbers)
