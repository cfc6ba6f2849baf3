"""Within a mock, no client but `requests` gets as far as Huawei Cloud: it learns which host, and what to do."""

from __future__ import annotations

import http.client
import socket
import urllib.request
from collections.abc import Callable

import pytest
import urllib3

from huaweicloud_simulator import Cloud, mock_huaweicloud, serve

HOST = "ges.cn-north-4.myhuaweicloud.com"


def by_socket() -> None:
    with socket.socket() as one:
        one.connect((HOST, 443))


CLIENTS: dict[str, Callable[[], object]] = {
    "urllib3": lambda: urllib3.PoolManager(retries=False).request("GET", f"https://{HOST}/v2/p/graphs"),
    "http.client": lambda: http.client.HTTPSConnection(HOST, timeout=5).request("GET", "/"),
    "urllib": lambda: urllib.request.urlopen(f"https://{HOST}/", timeout=5),
    "create_connection": lambda: socket.create_connection((HOST, 443), timeout=5),
    "look-up": lambda: socket.getaddrinfo(HOST, 443),
    "socket": by_socket,
    "obs": lambda: http.client.HTTPConnection("state.obs.cn-north-4.myhuaweicloud.com").connect(),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_client_learns_what_to_do(name: str) -> None:
    with mock_huaweicloud() as cloud, pytest.raises(Exception, match=r"myhuaweicloud\.com.*serve\(cloud\)"):
        CLIENTS[name]()
    assert cloud.requests == []


def test_loopback_is_reached_by_every_client() -> None:
    with serve(Cloud()) as server, mock_huaweicloud():
        assert urllib3.request("GET", f"{server.url}/_control/clock").status == 200


def test_nothing_is_blocked_after_the_mock() -> None:
    before = socket.getaddrinfo, socket.socket.connect
    with mock_huaweicloud(), mock_huaweicloud():
        assert socket.getaddrinfo is not before[0]
    assert (socket.getaddrinfo, socket.socket.connect) == before
