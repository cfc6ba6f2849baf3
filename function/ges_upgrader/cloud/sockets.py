"""Connections that keep one exchange within its time and its size (docs/decisions/0023).

A timeout of `requests` limits each wait for a packet, so a server that sends a byte now and then outlasts it. Here every
operation on a socket waits only as long as the whole exchange has left, and counts what it receives.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from http.client import HTTPResponse
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from ges_upgrader.clock import Countdown


class TooLarge(OSError):
    """The answer is larger than the exchange allows."""


class Limits:
    """What one exchange may use: `seconds` for all of it, and `most` bytes to receive.

    `sent` says whether a part of the request may have left this machine.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self.sent = False
        self._countdown = Countdown(seconds)
        self._bytes_left = most

    def seconds_left(self) -> float:
        """Raises TimeoutError if there are none."""
        left = self._countdown.left()
        if left <= 0:
            raise TimeoutError("the time of the exchange is over")
        return left

    def receive(self, count: int) -> None:
        """Raises TooLarge."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise TooLarge("the answer is too large")

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Limits what this thread does with sockets. Neither requests nor urllib3 can hand the limits down to them."""
        token = _LIMITS.set(self)
        try:
            yield
        finally:
            _LIMITS.reset(token)


_LIMITS: ContextVar[Limits] = ContextVar("limits")


class _Socket(socket.socket):
    __slots__ = ()

    def recv(self, *arguments: Any) -> bytes:
        limits = self._limited()
        data = super().recv(*arguments)
        limits.receive(len(data))
        return data

    def recv_into(self, *arguments: Any) -> int:
        limits = self._limited()
        count = super().recv_into(*arguments)
        limits.receive(count)
        return count

    def send(self, *arguments: Any) -> int:
        self._limited()
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self._limited()
        super().sendall(*arguments)

    def _limited(self) -> Limits:
        limits = _LIMITS.get()
        self.settimeout(limits.seconds_left())
        return limits


class _TLSSocket(_Socket, ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        self._limited()
        super().do_handshake(block)


class _WholeLines:
    """The beginning of an answer, line by line. http.client takes a connection that breaks off for the end of the headers."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readline(self, limit: int) -> bytes:
        line: bytes = self._file.readline(limit)
        if not line.endswith(b"\n") and len(line) < limit:
            raise ConnectionError("the connection broke off within the answer's headers")
        return line


class _Response(HTTPResponse):
    def begin(self) -> None:
        file: Any = self.fp
        self.fp = _WholeLines(file)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            self.fp = file if self.fp is not None else None


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        seconds = _LIMITS.get().seconds_left()
        countdown = Countdown(seconds if self.timeout is None else min(seconds, self.timeout))
        return _connected(_resolved(self._dns_host.strip("[]"), self.port, countdown), countdown, self.socket_options or ())

    def endheaders(self, *arguments: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        _LIMITS.get().sent = True
        super().endheaders(*arguments, **options)


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class LimitedAdapter(HTTPAdapter):
    """requests' adapter on these connections. Use it inside `Limits.applied`, with `limits.sent` set before."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._tls_to_proxy
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        _LIMITS.get().sent = False  # here we know: the connection is yet to be chosen or made
        return super().get_connection_with_tls_context(*arguments, **options)

    def build_connection_pool_key_attributes(self, *arguments: Any, **options: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*arguments, **options)
        if host["scheme"] == "https":
            pool["ssl_context"] = self._tls
        return host, pool

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return _context()

    @cached_property
    def _tls_to_proxy(self) -> ssl.SSLContext:
        context, path = _context(), certificates()
        context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})
        return context


_POOLS = {"http": _Pool, "https": _TLSPool}


def certificates() -> str:
    """The bundle of certificates that requests' own variables name, or its default: a file or a folder."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH


def _context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.sslsocket_class = _TLSSocket
    return context


def _resolved(host: str, port: int, countdown: Countdown) -> list[tuple[Any, ...]]:
    """The addresses of a host. A look-up cannot be interrupted, so a thread makes it and is left alone when time is over."""
    found: SimpleQueue[list[tuple[Any, ...]] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            found.put([*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except Exception as failure:
            found.put(failure)

    Thread(target=look_up, daemon=True).start()
    try:
        answer = found.get(timeout=max(countdown.left(), 0))
    except Empty:
        raise TimeoutError("the host's name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _connected(addresses: Sequence[tuple[Any, ...]], countdown: Countdown, options: Sequence[Any]) -> socket.socket:
    """A connection to the first address that accepts one. Each gets its part of the time, so that a dead one leaves some."""
    failure = OSError("the host has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = _Socket(family, kind, protocol)
        try:
            for option in options:
                connection.setsockopt(*option)
            connection.settimeout(max(countdown.left(), 0.001) / (len(addresses) - number))
            connection.connect(address)
            return connection
        except OSError as refused:
            connection.close()
            failure = refused
    raise failure
