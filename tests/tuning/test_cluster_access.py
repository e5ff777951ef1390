from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from harness.tuning.cluster_access import ray_watched

watch = partial(ray_watched, pause=0.02, head_seconds=0.3, node_seconds=0.1)


class Listener:
    def __init__(self) -> None:
        self.heard = threading.Event()
        self.reason = ""

    def __call__(self, reason: str) -> None:
        self.reason = reason
        self.heard.set()


@pytest.fixture
def servers() -> Iterator[list[socket.socket]]:
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield opened
    for server in opened:
        server.close()


def address(server: socket.socket) -> str:
    return f"127.0.0.1:{server.getsockname()[1]}"


def test_watch_with_a_head_that_stops_answering_names_it(servers: list[socket.socket]) -> None:
    head, node = servers
    lost, where = Listener(), address(head)
    with watch(where, address(node), lost):
        assert not lost.heard.wait(0.4)
        head.close()
        assert lost.heard.wait(10)
    assert lost.reason == f"the head of the Ray cluster at {where} no longer answers"


def test_watch_with_a_node_that_stops_names_it(servers: list[socket.socket]) -> None:
    head, node = servers
    lost = Listener()
    with watch(address(head), address(node), lost):
        assert not lost.heard.wait(0.4)
        node.close()
        assert lost.heard.wait(10)
    assert lost.reason == "Ray on this machine has stopped"


def test_watch_after_the_block_reports_nothing() -> None:
    lost = Listener()
    with watch("127.0.0.1:1", "127.0.0.1:1", lost):
        pass
    assert not lost.heard.wait(0.5)
