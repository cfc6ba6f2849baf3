"""Keeps clients that open sockets themselves from the real Huawei Cloud, while a mock is in force.

The mock answers the `requests` library only. Any other client would reach the network, with the test's keys.
"""

from __future__ import annotations

import re
import socket
from typing import Any

_HUAWEI = re.compile(r"([a-z0-9-]+\.)*(myhuaweicloud\.(com|eu|cn)|huaweicloudapis\.com|huaweicloud\.com)\.?")


class NetworkBlocked(ConnectionError):
    """A client that is not `requests` wanted to reach Huawei Cloud within a mock."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} was not contacted: inside mock_huaweicloud only the `requests` library reaches the simulated cloud. "
            "For this client use `with serve(cloud) as server:` and point it at server.url"
        )


class Blocked:
    """A context manager. It replaces two functions of the module `socket`, and puts them back."""

    def __enter__(self) -> None:
        self._look_up, self._connect = socket.getaddrinfo, socket.socket.connect
        look_up, connect = self._look_up, self._connect

        def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
            _check(host)
            return look_up(host, *arguments, **options)

        def guarded_connect(self: socket.socket, address: Any) -> None:
            if isinstance(address, tuple):
                _check(address[0])
            connect(self, address)

        socket.getaddrinfo = guarded_look_up
        socket.socket.connect = guarded_connect  # type: ignore[assignment, method-assign]

    def __exit__(self, *_: object) -> None:
        socket.getaddrinfo, socket.socket.connect = self._look_up, self._connect  # type: ignore[method-assign]


def _check(host: Any) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(name, str) and _HUAWEI.fullmatch(name.lower()):
        raise NetworkBlocked(name)
