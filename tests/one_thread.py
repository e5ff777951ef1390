"""A fixture for packages whose tests train: import it into their conftest.py."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Use one thread, as a worker does: how a sum is split among threads shows in its last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
