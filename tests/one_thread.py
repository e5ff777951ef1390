"""A fixture for packages whose tests train: import it into their conftest.py."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Use one thread, as workers do, because the last bits of a sum depend on the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
